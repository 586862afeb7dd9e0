// The published table: what the series whose steps these are reached on the GPUs that it was written for.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/contract/problem.h"

namespace flash_steps {

/// The seqlen whose percentages the table shows beside the means.
constexpr int table_seqlen = 4096;

/// One GPU at seqlen 4096, or its harmonic mean over the lengths.
struct PublishedColumn {
  std::string gpu;  ///< "A100"
  bool is_mean = false;
  double sm_clock_mhz = 0;  ///< locked
  double fa2_tflops = 0;
  double fa2_tflops_as_printed = 0;       ///< half the true figure
  std::map<std::string, double> percent;  ///< of FlashAttention-2, by kernel

  /// Without the 6 FLOP of the softmax that its author counts for each score besides the 4·head_dim of the products.
  double fa2_tflops_of_products() const;
};

struct Published {
  std::string source;
  std::vector<PublishedColumn> columns;  ///< of a GPU first seqlen 4096, then the mean
  std::vector<int> seqlens;              ///< that the means are over
  std::map<int, int> batch;              ///< by seqlen
  int heads = 0;
  std::map<std::string, double> h100_percent;  ///< of the published kernels, timed on an H100 at seqlen 4096
  std::string h100_source;                     ///< how

  /// Whether a problem is one of the published ones, of either dtype and any seed.
  bool has(const Problem& problem) const;
};

/// docs/results/published.json
std::filesystem::path published_file();

/// Throws std::runtime_error that names the file and the field.
Published read_published(const std::filesystem::path& file = published_file());

}  // namespace flash_steps
