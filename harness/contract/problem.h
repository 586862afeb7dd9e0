// A problem: the attention that is to be computed, and the inputs that it starts from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace flash_steps {

enum class Dtype { fp16, bf16 };

/// How Q, K and V are filled; see truth/inputs.cpp for what each is good for.
enum class InputDistribution { normal, uniform, large, constant, onehot, tiny, negative, positive, creeping };

/// Which keys a query attends to: all, or (causal, aligned at the ends) those up to its own place.
enum class Mask { none, causal };

/// O from Q, K and V; the gradients of Q, K and V from that of O; or one after the other.
enum class Pass { forward, backward, both };

/// What a pass computes: O, and the logarithms of the sums of exponentials; or the gradients of Q, K and V.
enum class Output { o, lse, dq, dk, dv };

/// Which weights are dropped follows from these three and from a weight's place alone. Those that are kept are divided
/// by the probability with which they are; sums over a row are those from before anything was dropped.
struct Dropout {
  double probability;  ///< with which a weight is dropped
  uint64_t seed;       ///< the key of Philox
  uint64_t offset;     ///< added to the lower half of its counter

  /// A weight is kept whose byte is at most this: ⌊255·(1 − probability)⌋ in FlashAttention-2's arithmetic. Of 256
  /// bytes 230 are kept at 0.1, which is 0.898 of the weights and not 0.9.
  constexpr int largest_kept_byte() const { return static_cast<int>((1.0f - static_cast<float>(probability)) * 255.0); }
  /// What the weights that are kept are multiplied by.
  constexpr float kept_scale() const { return 1.0f / (1.0f - static_cast<float>(probability)); }

  bool operator==(const Dropout&) const = default;
};

/// The head_dim of the sixteen.
constexpr int default_head_dim = 128;

/// O = softmax(Q·Kᵀ / √head_dim)·V for each of batch × heads, with Q and O in [batch, seqlen, heads, head_dim] and K
/// and V in [batch, seqlen_kv, kv_heads, head_dim]; head h attends to head h·kv_heads / heads of K and V, and kv_heads
/// divides heads. O of a query that attends to no key is 0. L, the natural logarithm of the row sums of
/// exp(Q·Kᵀ / √head_dim), is [batch, heads, seqlen]; +∞ of such a query.
struct Problem {
  int batch = 1;
  int heads = 1;
  int seqlen = 256;  ///< queries
  int head_dim = default_head_dim;
  Dtype dtype = Dtype::fp16;
  InputDistribution inputs = InputDistribution::normal;
  uint64_t seed = 1;
  int seqlen_kv = 0;   ///< keys; 0: as many as queries
  int kv_heads = 0;    ///< 0: as many as heads
  double dropout = 0;  ///< the probability with which a weight is dropped
  Mask mask = Mask::none;
  Pass pass = Pass::forward;
  uint64_t dropout_offset = 0;  ///< see Dropout, whose seed is that of the inputs

  constexpr int keys() const { return seqlen_kv != 0 ? seqlen_kv : seqlen; }
  constexpr int key_heads() const { return kv_heads != 0 ? kv_heads : heads; }

  /// The head of K and V that a head of Q attends to: neighbouring heads share one.
  constexpr int key_head(int head) const { return static_cast<int>(int64_t{head} * key_heads() / heads); }

  /// How many keys, from the first on, a query attends to: all, or under a causal mask those up to its own place, where
  /// the last query has the place of the last key. With more queries than keys the first of them attend to none.
  constexpr int visible_keys(int query) const {
    return mask == Mask::none ? keys() : std::clamp(query + 1 + (keys() - seqlen), 0, keys());
  }

  constexpr Dropout dropping() const { return {dropout, seed, dropout_offset}; }

  /// Elements of each of Q and O.
  int64_t elements() const { return int64_t{batch} * heads * seqlen * head_dim; }
  /// Bytes of each of Q and O.
  int64_t bytes() const { return elements() * 2; }
  /// Elements of each of K and V.
  int64_t kv_elements() const { return int64_t{batch} * key_heads() * keys() * head_dim; }
  int64_t kv_bytes() const { return kv_elements() * 2; }
  /// Rows of all heads: elements of L, which is [batch, heads, seqlen].
  int64_t rows() const { return int64_t{batch} * heads * seqlen; }

  /// Multiplications and additions of the matrix products, and nothing else: forward 4·batch·heads·seqlen·keys·head_dim
  /// (two products, a multiply and an add each), backward 2.5 times as many (five products), causal half of it.
  double flops() const;

  bool operator==(const Problem&) const = default;
};

inline constexpr Dtype all_dtypes[] = {Dtype::fp16, Dtype::bf16};
inline constexpr Mask all_masks[] = {Mask::none, Mask::causal};
inline constexpr Pass all_passes[] = {Pass::forward, Pass::backward, Pass::both};
inline constexpr Output all_outputs[] = {Output::o, Output::lse, Output::dq, Output::dk, Output::dv};
inline constexpr InputDistribution all_distributions[] = {
    InputDistribution::normal,   InputDistribution::uniform,  InputDistribution::large,
    InputDistribution::constant, InputDistribution::onehot,   InputDistribution::tiny,
    InputDistribution::negative, InputDistribution::positive, InputDistribution::creeping};

const char* name_of(Dtype dtype);
const char* name_of(InputDistribution inputs);
const char* name_of(Mask mask);
const char* name_of(Pass pass);
const char* name_of(Output output);

/// "batch 1, heads 1, seqlen 256, head_dim 128, fp16, normal inputs, seed 1", and behind it what is not as in the
/// sixteen: ", 512 keys, 2 heads of keys, causal mask, dropout 0.1, backward".
std::string describe(const Problem& problem);

}  // namespace flash_steps
