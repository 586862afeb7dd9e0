// The tables for whoever comes first: what fits a page of the web, where the whole table (ladder.h) does not.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/predict/predictions.h"
#include "harness/results/published.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

/// A step's idea in a few words: the title of its page, behind the name. Throws std::runtime_error for a kernel without
/// a page that begins with "# NAME: ".
std::string idea_of(const Kernel& kernel);

/// A line for each step: its page, its idea, and percent of FlashAttention-2 at seqlen 4096 on the published GPUs and
/// in the sweep, and behind what was published what is predicted there, if it is; with a mark and a sentence where
/// kernels have changed since.
std::string render_overview(const std::vector<const Kernel*>& kernels, const Published& published, const Sweep& sweep,
                            const Predictions& predictions);

/// The published kernels as they were timed on an H100, beside the steps in the sweep.
std::string render_published_there(const std::vector<const Kernel*>& kernels, const Published& published,
                                   const Sweep& sweep);

}  // namespace flash_steps
