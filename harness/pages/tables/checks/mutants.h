// What became of the mutants (docs/method/mutants.md), as Markdown.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace flash_steps {

/// A kernel with one mistake, and what the emulator said of it.
struct MutantOutcome {
  std::string kernel;
  std::string mistake;
  std::string verdict;  ///< "hazard", "wrong_result", "survived"
  std::string config;
  std::string problem;        ///< in which it was noticed
  bool right_result = false;  ///< its output was right all the same
};

/// Throws std::runtime_error that names the file and the field.
std::vector<MutantOutcome> read_mutants(const std::filesystem::path& file);

/// A line for each mistake, and one for all.
std::string render_mutants(const std::vector<MutantOutcome>& mutants);

/// A line for each kernel.
std::string render_mutants_by_kernel(const std::vector<MutantOutcome>& mutants);

/// The same kernels on a GPU: how many launches were wrong, by length.
struct GpuMutant {
  struct Length {
    int seqlen = 0;
    int launches = 0;
    int wrong = 0;
  };
  std::string kernel;
  int line = 0;
  std::string mistake;  ///< empty: the kernel as it is
  std::vector<Length> lengths;
};

std::vector<GpuMutant> read_gpu_mutants(const std::filesystem::path& file);

/// A line for each.
std::string render_gpu_mutants(const std::vector<GpuMutant>& mutants);

}  // namespace flash_steps
