// What is measured, and how: the part of the command line that decides which figures come out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/machine/baseline.h"
#include "harness/machine/timing.h"

namespace flash_steps {

/// What is wanted of each kernel.
enum class Purpose {
  measure,  ///< that it is right, and its times (on a GPU) or its counters (on the emulator)
  check,    ///< that it is right
  explain,  ///< that it is right, and its counters by source line
  profile,  ///< one bare launch
};

struct Settings {
  Purpose purpose = Purpose::measure;
  std::string config;  ///< names and patterns, "all", or empty: all on a GPU, the first that fits on the emulator

  // What is left open follows from the machine's default problem.
  std::optional<int> batch;
  std::optional<int> heads;
  std::vector<int> seqlens;  ///< each once, in the order given, as are the next two
  std::vector<Dtype> dtypes;
  std::vector<InputDistribution> inputs;
  std::optional<uint64_t> seed;
  int head_dim = default_head_dim;
  int seqlen_kv = 0;
  int kv_heads = 0;
  Mask mask = Mask::none;
  double dropout = 0;
  int padding = 0;
  std::optional<Pass> pass;  ///< left open: forward, unless no chosen kernel covers it

  TimingBudget budget;
  int repeats = 0;                  ///< of check: launches whose outputs must be bit-equal; 0: that is not asked
  std::vector<Baseline> baselines;  ///< each once, in the order given
};

}  // namespace flash_steps
