// The online softmax, a tile at a time, in the arithmetic of the kernels.
#pragma once

#include <string>
#include <vector>

#include "harness/site/frame.h"

namespace flash_steps {

/// One row of the attention after a tile of keys.
struct SoftmaxStep {
  std::vector<float> scores;   ///< of this tile, already multiplied by log2(e)/√head_dim
  std::vector<float> weights;  ///< exp2(score − row_max)
  float row_max;
  float shrink;  ///< what the sums so far are multiplied by
  float row_sum;
  float output;  ///< one element of O, not divided by the sum yet
};

struct SoftmaxCase {
  std::string name;
  std::vector<float> values;  ///< an element of V for each key
  std::vector<SoftmaxStep> steps;
  double exact;  ///< of the whole row, in fp64
};

std::vector<SoftmaxCase> softmax_cases();

Framed softmax_page();

}  // namespace flash_steps
