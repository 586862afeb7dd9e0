// What standard attention does between its matrix products: softmax, dropout, and the gradient of both. All that has a
// number for each query and each key of each head is a matrix of scores.
#pragma once

#include <cstdint>

#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

/// Matrices of scores in the GPU's memory: rows in the order of L (see Tensors), score_stride() elements from one to
/// the next. With Z and κ as in truth/gradients.h:
struct Scores {
  uint16_t* p = nullptr;        ///< S, then P
  uint16_t* dropped = nullptr;  ///< Z∘P/κ; without dropout P itself
  uint8_t* kept = nullptr;      ///< Z: a byte each; null without dropout
  uint16_t* dp = nullptr;       ///< of a backward pass dO·Vᵀ, then dS; null of a forward one
};

/// The most keys of a sequence, rounded up so that each row begins at 16 bytes.
int64_t score_stride(const Problem& problem);

/// P from S, with 0 where the query does not attend to the key; and of dropout Z and what it leaves of P.
void softmax_of_scores(const Problem& problem, const Tensors& tensors, const Scores& scores, CUstream_st* stream);

/// dS = P∘(Z∘dP/κ − D), with D the row sums of P∘Z∘dP/κ, in the place of dP.
void gradient_of_scores(const Problem& problem, const Tensors& tensors, const Scores& scores, CUstream_st* stream);

/// A gradient of K or V, [rows, kv_heads, head_dim], from one for each head of Q, [rows, heads, head_dim]: the sums
/// over the heads that share one.
void sum_groups(const Problem& problem, const uint16_t* of_heads, void* sums, CUstream_st* stream);

/// Pairs of a query and a key of all heads, if all sequences were as long as the longest may be.
inline int64_t padded_scores(const Problem& problem) {
  return int64_t{problem.batch} * problem.heads * problem.seqlen * problem.keys();
}

/// Z with 1 for the weights that are kept, padded: [batch, heads, seqlen, keys], a byte each.
void write_kept_weights(const Problem& problem, uint8_t* kept);

}  // namespace flash_steps
