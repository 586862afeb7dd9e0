// What the modes of the command line do, each in a file of its own. All print to stdout, and return the exit code or
// throw an error of base/error.h.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/runner/options.h"

namespace flash_steps {

using Selection = std::vector<const Kernel*>;
using Arguments = std::vector<std::string>;

/// Measures, checks, explains or profiles kernels. The results file is complete after each length.
int run_kernels(const Options& options, const Selection& kernels, const Arguments& argv);

/// As text or, with --json, for programs.
int show_list(const Options& options, const Selection& kernels, const Arguments& argv);

int show_machine_code(const Options& options, const Selection& kernels, const Arguments& argv);

/// Times on GPUs that are not there; for --explain the cycles beside the source lines.
int show_predict(const Options& options, const Selection& kernels, const Arguments& argv);
int show_diff(const Selection& kernels);
int show_table(const Options& options, const Selection& kernels);
int show_errors(const Options& options, const Selection& kernels);
int show_stale();

/// Makes the study site and prints where it begins.
int show_site(const Options& options);

int show_version();
int show_completion(const std::string& shell);

/// Prints what scripts/build.sh has to build for a command line, an argument a line: the targets that hold the code of
/// the kernels that it needs. Nothing for one that is wrong, which is for the command itself to say.
int show_needs(int argc, const char* const* argv);

/// Throws UsageError unless the file that an option such as --json names can be written.
void check_file(const std::string& option, const std::optional<std::filesystem::path>& file);
void check_json(const Options& options);

/// A sentence on stderr.
void say(const std::string& sentence);

/// What is wrong, a line or a paragraph each; returns the exit code, 1 if there is any.
int complain(const std::vector<std::string>& complaints);

}  // namespace flash_steps
