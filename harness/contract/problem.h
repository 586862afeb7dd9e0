// A problem: the attention that is to be computed, and the inputs that it starts from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/contract/kernel.h"

namespace flash_steps {

/// How Q, K and V are filled; see inputs.cpp for what each is good for.
enum class InputDistribution { normal, uniform, large, constant, onehot, tiny };

/// O = softmax(Q·Kᵀ / √head_dim)·V for each of batch × heads, with Q, K, V, O in [batch, seqlen, heads, head_dim].
struct Problem {
  int batch = 1;
  int heads = 1;
  int seqlen = 256;
  int head_dim = supported_head_dim;
  Dtype dtype = Dtype::fp16;
  InputDistribution inputs = InputDistribution::normal;
  uint64_t seed = 1;

  /// Elements of each of Q, K, V and O.
  int64_t elements() const { return int64_t{batch} * heads * seqlen * head_dim; }
  /// Bytes of each of Q, K, V and O.
  int64_t bytes() const { return elements() * 2; }
  /// 4·batch·heads·seqlen²·head_dim: two matrix products, a multiply and an add each; the softmax is not counted.
  double flops() const { return 4.0 * batch * heads * double(seqlen) * seqlen * head_dim; }

  bool operator==(const Problem&) const = default;
};

inline constexpr Dtype all_dtypes[] = {Dtype::fp16, Dtype::bf16};
inline constexpr InputDistribution all_distributions[] = {InputDistribution::normal, InputDistribution::uniform,
                                                          InputDistribution::large,  InputDistribution::constant,
                                                          InputDistribution::onehot, InputDistribution::tiny};

const char* name_of(Dtype dtype);
const char* name_of(InputDistribution inputs);

}  // namespace flash_steps
