// The table of the percentages of FlashAttention-2, in Markdown.
//
// A percentage at one length is the median of those of each round, in which the step and FlashAttention-2 had the same
// clocks; against a stored time it is that of the medians. The harmonic mean of a step is that of these percentages of
// FlashAttention-2's TFLOP/s over the published lengths, in percent of the harmonic mean of FlashAttention-2's, each of
// the run in which it was measured beside the step: as in the published table, whose row of FlashAttention-2 holds the
// harmonic means of its TFLOP/s.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/model/bound_stored.h"
#include "harness/predict/predictions.h"
#include "harness/results/published.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

/// Behind a figure of a kernel whose code has changed since it was timed.
inline constexpr const char* stale_mark = "‡";

/// 0 if any of the values is not above 0.
double harmonic_mean(const std::vector<double>& values);

/// In percent of FlashAttention-2; nothing if the step or FlashAttention-2 was not timed at a length.
std::optional<double> percent_at(const Sweep& sweep, const std::string& kernel, int seqlen);
std::optional<double> mean_percent(const Sweep& sweep, const std::string& kernel, const std::vector<int>& seqlens);

/// The steps as rows, the published figures and each sweep as two columns, and below them what they mean: which files,
/// which runs were made with clocks held down (*), which against a stored time of FlashAttention-2 (†). With bounds
/// each GPU and type has a third column: the highest bound of a step's configs, in percent of FlashAttention-2 as it
/// ran there at seqlen 4096.
std::string render_table(const std::vector<const Kernel*>& kernels, const Published& published,
                         const std::vector<Sweep>& sweeps, const StoredBounds* bounds = nullptr,
                         const Predictions* predictions = nullptr);

/// The best configs of some steps at seqlen 4096, and a line that says how they were measured.
std::string render_steps(const std::vector<std::string>& kernels, const Sweep& sweep);

}  // namespace flash_steps
