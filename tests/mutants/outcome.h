// What became of the mutants, as a table and as JSON of schema "flash-steps/mutants/1".
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "harness/results/results.h"
#include "mutants/equivalent.h"
#include "mutants/mutant.h"
#include "mutants/trial.h"

namespace flash_steps::mutants {

struct Outcome {
  Mutant mutant;
  Trial trial;
};

/// A sentence for each mutant that is not as it should be: one that survived or has no verdict, unless it is listed as
/// equivalent; one that is listed and was killed; a kernel that is found wrong as it is.
std::vector<std::string> complaints(const std::vector<Outcome>& outcomes, const std::vector<Equivalent>& equivalents);

/// How many of each mistake there are and how they were killed, by mistake and by kernel.
void print_outcomes(std::ostream& out, const std::vector<Outcome>& outcomes);

/// As write_file does. The kernels as they are stay out.
void write_outcomes(const std::vector<Outcome>& outcomes, const Meta& meta, const std::filesystem::path& file);

}  // namespace flash_steps::mutants
