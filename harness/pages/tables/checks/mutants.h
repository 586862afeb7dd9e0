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
  std::string config;   ///< in which it was noticed, and so on; empty if it was not
  std::string problem;
  std::string report;
  bool right_result = false;  ///< its output was right all the same
  int line = 0;
  std::string before;  ///< that line
  std::string after;
  std::string code;  ///< hash of the kernel's file
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
  std::string after;    ///< that line; empty in a file that was made before it was kept
  std::string outcome;  ///< "right", "wrong", "hung", "error", "refused" (by ptxas), "failed" (nothing is known)
  std::string error;    ///< a sentence with the name that CUDA has for it; empty if there was none
  std::vector<std::string> ptxas;  ///< its messages, "C7511: …" or "error: …"
  std::vector<Length> lengths;     ///< those that came to an end
};

std::vector<GpuMutant> read_gpu_mutants(const std::filesystem::path& file);

/// A line for each.
std::string render_gpu_mutants(const std::vector<GpuMutant>& mutants);

/// What the emulator, ptxas and a GPU show of each mutant that the GPU was given, of mutants.json and gpu_mutants.json
/// in a folder of results; a sentence instead if there is no second one.
std::string render_mutants_on_both(const std::filesystem::path& results);

}  // namespace flash_steps
