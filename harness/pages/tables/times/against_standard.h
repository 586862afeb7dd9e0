// The two graphs of FlashAttention's first release as tables: how much faster than PyTorch's standard attention,
// forward and backward, and in how much less memory, beside what was published.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/results/results.h"

namespace flash_steps {

/// The bars of its pictures, by seqlen.
struct FirstRelease {
  std::map<std::string, std::map<int, double>> speedup;  ///< by series: "dropout and padding", "padding", "neither"
  std::map<int, double> memory_ratio;
};

/// Of docs/results/variants/against_standard/first_release.json. Throws std::runtime_error.
FirstRelease read_first_release(const std::filesystem::path& file);

/// The results beside that file, which scripts/against_standard.sh makes; none if there are none yet.
std::vector<Results> read_against_standard(const std::filesystem::path& folder);

/// In Markdown, of the times and of the memory, or a sentence that says how to get the results where there are none. A
/// time is the medians of the forward and of the backward pass added, each of the fastest kernel; a forward pass counts
/// that stores the logarithms of the row sums, which a backward one wants.
std::string render_against_standard(const std::vector<Results>& results, const FirstRelease& published);

}  // namespace flash_steps
