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

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014,
/// with the constants of Stafford's Mix13).
constexpr uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// What a pass computes: O, and the logarithms of the sums of exponentials; or the gradients of Q, K and V.
enum class Output { o, lse, dq, dk, dv };

/// Which weights are dropped: for each a byte is drawn that follows from the seed, the offset and the place of the
/// weight alone. Sums over a row are those from before anything was dropped.
struct Dropout {
  uint64_t seed;    ///< the key of Philox
  uint64_t offset;  ///< added to the lower half of its counter
  /// A weight is kept whose byte is at most this: ⌊255·(1 − probability)⌋ in FlashAttention-2's arithmetic. Of 256
  /// bytes 230 are kept at 0.1, which is 0.898 of the weights and not 0.9.
  int largest_kept_byte;
  float kept_scale;  ///< of the weights that are kept: 1 / (1 − probability)

  bool operator==(const Dropout&) const = default;
};

/// The head_dim of the sixteen.
constexpr int default_head_dim = 128;

/// O = softmax(Q·Kᵀ / √head_dim)·V for each of batch × heads, with Q and O in [batch, seqlen, heads, head_dim] and K
/// and V in [batch, seqlen_kv, kv_heads, head_dim]; head h attends to head h·kv_heads / heads of K and V, and kv_heads
/// divides heads. O of a query that attends to no key is 0. L, the natural logarithm of the row sums of
/// exp(Q·Kᵀ / √head_dim), is [batch, heads, seqlen]; +∞ of such a query.
///
/// Sequences may be padded, as in a batch of texts: each has a length of its own. What lies in memory is packed: their
/// rows one behind the other, [rows of all sequences, heads, head_dim].
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
  int padding = 0;  ///< 0: all sequences are of one length; if not, they are packed and by up to so much shorter

  /// Keys of the longest sequence, as seqlen is its queries.
  constexpr int keys() const { return seqlen_kv != 0 ? seqlen_kv : seqlen; }
  constexpr int key_heads() const { return kv_heads != 0 ? kv_heads : heads; }

  /// The head of K and V that a head of Q attends to: neighbouring heads share one.
  constexpr int key_head(int head) const { return static_cast<int>(int64_t{head} * key_heads() / heads); }

  /// More padding than this would leave a sequence with fewer rows than none.
  constexpr int most_padding() const { return std::min(seqlen, keys()); }

  /// Of one sequence. Where they are padded, seqlen and keys() are what is not reached: a length is drawn from the
  /// `padding` numbers below, that of keys by itself unless there are as many as queries.
  constexpr int queries_of(int sequence) const { return drawn_length(seqlen, sequence, 0); }
  constexpr int keys_of(int sequence) const { return drawn_length(keys(), sequence, seqlen_kv != 0 ? 1 : 0); }

  /// Rows of Q, and of K, before those of a sequence; of sequence `batch` there are as many as there are rows at all.
  constexpr int64_t first_query(int sequence) const { return first_row(sequence, &Problem::queries_of, seqlen); }
  constexpr int64_t first_key(int sequence) const { return first_row(sequence, &Problem::keys_of, keys()); }

  /// How many keys, from the first on, a query of a sequence attends to: all, or under a causal mask those up to its
  /// own place, where the last query has the place of the last key. With more queries than keys the first of them
  /// attend to none.
  constexpr int visible_keys(int query, int sequence = 0) const {
    const int there = keys_of(sequence);
    return mask == Mask::none ? there : std::clamp(query + 1 + (there - queries_of(sequence)), 0, there);
  }

  constexpr Dropout dropping() const {
    const float kept = 1.0f - static_cast<float>(dropout);
    return {seed, dropout_offset, static_cast<int>(kept * 255.0), 1.0f / kept};
  }

  /// Elements of each of Q and O.
  int64_t elements() const { return first_query(batch) * heads * head_dim; }
  /// Bytes of each of Q and O.
  int64_t bytes() const { return elements() * 2; }
  /// Elements of each of K and V.
  int64_t kv_elements() const { return first_key(batch) * key_heads() * head_dim; }
  int64_t kv_bytes() const { return kv_elements() * 2; }
  /// Rows of all heads: elements of L.
  int64_t rows() const { return first_query(batch) * heads; }

  /// Multiplications and additions of the matrix products, and nothing else: forward 4·batch·heads·seqlen·keys·head_dim
  /// (two products, a multiply and an add each), backward 2.5 times as many (five products), causal half of it; of
  /// packed sequences the sum of theirs.
  double flops() const;

  bool operator==(const Problem&) const = default;

 private:
  constexpr int drawn_length(int length, int sequence, uint64_t stream) const {
    if (padding == 0) return length;
    const uint64_t drawn = mix64(mix64(seed + 2 * stream + 1) + static_cast<uint64_t>(sequence));
    return length - 1 - static_cast<int>(drawn % static_cast<uint64_t>(padding));
  }

  constexpr int64_t first_row(int sequence, int (Problem::*length_of)(int) const, int length) const {
    if (padding == 0) return int64_t{sequence} * length;
    int64_t rows = 0;
    for (int s = 0; s < sequence; s++) rows += (this->*length_of)(s);
    return rows;
  }
};

inline constexpr Dtype all_dtypes[] = {Dtype::fp16, Dtype::bf16};
inline constexpr Mask all_masks[] = {Mask::none, Mask::causal};
inline constexpr Pass all_passes[] = {Pass::forward, Pass::backward, Pass::both};
inline constexpr Output all_outputs[] = {Output::o, Output::lse, Output::dq, Output::dk, Output::dv};
inline constexpr InputDistribution all_distributions[] = {
    InputDistribution::normal,   InputDistribution::uniform,  InputDistribution::large,
    InputDistribution::constant, InputDistribution::onehot,   InputDistribution::tiny,
    InputDistribution::negative, InputDistribution::positive, InputDistribution::creeping};

/// The first query of each sequence, and behind the last how many there are; and the same of keys.
std::vector<int> query_starts(const Problem& problem);
std::vector<int> key_starts(const Problem& problem);

const char* name_of(Dtype dtype);
const char* name_of(InputDistribution inputs);
const char* name_of(Mask mask);
const char* name_of(Pass pass);
const char* name_of(Output output);

/// "batch 1, heads 1, seqlen 256, head_dim 128, fp16, normal inputs, seed 1", and behind it what is not as in the
/// sixteen: ", 512 keys, 2 heads of keys, causal mask, dropout 0.1, backward".
std::string describe(const Problem& problem);

}  // namespace flash_steps
