// Seeded inputs. Every element follows from its index alone, by integer arithmetic and one table look-up, so that the
// GPU and the CPU make the same bits independently.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/contract/problem.h"

namespace flash_steps {

enum class Tensor { q, k, v, d_o };

inline int64_t elements_of(const Problem& problem, Tensor tensor) {
  return tensor == Tensor::q || tensor == Tensor::d_o ? problem.elements() : problem.kv_elements();
}

/// Number `index` of SplitMix64's sequence; each seed and stream has a start of its own.
constexpr uint64_t random_bits(uint64_t seed, uint64_t stream, int64_t index) {
  constexpr uint64_t golden_gamma = 0x9e3779b97f4a7c15u;
  const uint64_t start = mix64(mix64(seed + golden_gamma) + stream);
  return mix64(start + (static_cast<uint64_t>(index) + 1) * golden_gamma);
}

/// Elements of input_table() that belong to one tensor.
constexpr int input_table_size = 65536;

/// Makes the bits of any element of Q, K, V or dO. Trivially copyable: goes to the GPU by value, with `table` pointing
/// to a copy of input_table() there. constexpr functions run on the GPU under nvcc's --expt-relaxed-constexpr.
struct InputGenerator {
  Problem problem;
  const uint16_t* table;  ///< [4, input_table_size]

  /// `index` counts elements in the order of the tensor: [batch, seqlen, heads, head_dim], and of K and V [batch,
  /// seqlen_kv, kv_heads, head_dim].
  constexpr uint16_t operator()(Tensor tensor, int64_t index) const {
    const uint16_t* values = table + static_cast<int>(tensor) * input_table_size;
    if (problem.inputs == InputDistribution::onehot && tensor == Tensor::q) {
      // A query has the signs of the one key that it attends to, and so draws what that key draws.
      tensor = Tensor::k;
      index = key_element(index);
    }
    const uint64_t drawn = random_bits(problem.seed, stream_of(tensor), index) >> 48;
    return values[problem.inputs == InputDistribution::creeping ? creeping_place(tensor, index, drawn) : drawn];
  }

  /// Under `onehot`: the position in the sequence of the key that the query with this element attends to, if it attends
  /// to any.
  constexpr int64_t key_of_query(int64_t query_index) const {
    const Place query = place_of(query_index, problem.heads, &Problem::queries_of, problem.seqlen);
    const int visible = problem.visible_keys(query.position, query.sequence);
    return static_cast<int64_t>(random_bits(problem.seed, stream_of_onehot, query_index / problem.head_dim) %
                                static_cast<uint64_t>(visible > 0 ? visible : 1));
  }

 private:
  static constexpr uint64_t stream_of_onehot = 3;
  static constexpr uint64_t stream_of(Tensor tensor) {
    return tensor == Tensor::d_o ? stream_of_onehot + 1 : static_cast<uint64_t>(tensor);
  }

  // A row of a tensor of queries or of keys.
  struct Place {
    int sequence, position;
  };

  constexpr Place place_of(int64_t index, int heads, int (Problem::*length_of)(int) const, int length) const {
    const int64_t row = index / (int64_t{heads} * problem.head_dim);
    if (problem.padding == 0) return {static_cast<int>(row / length), static_cast<int>(row % length)};
    Place place{0, static_cast<int>(row)};
    while (place.position >= (problem.*length_of)(place.sequence)) {
      place.position -= (problem.*length_of)(place.sequence++);
    }
    return place;
  }

  // Under `creeping` the table of K falls from its first entry on, four entries to a key, and its elements are drawn
  // from the next sixteen keys; that of Q has two halves, which take turns every 64 queries.
  constexpr uint64_t creeping_place(Tensor tensor, int64_t index, uint64_t drawn) const {
    if (tensor == Tensor::q) {
      const int query = place_of(index, problem.heads, &Problem::queries_of, problem.seqlen).position;
      return drawn / 2 + query / 64 % 2 * (input_table_size / 2);
    }
    if (tensor == Tensor::v || tensor == Tensor::d_o) return drawn;
    const int key = place_of(index, problem.key_heads(), &Problem::keys_of, problem.keys()).position;
    const uint64_t place = static_cast<uint64_t>(key) * 4 + drawn / (input_table_size / 64);
    return place < input_table_size ? place : input_table_size - 1;
  }

  constexpr int64_t key_element(int64_t query_index) const {
    const int64_t row_elems = int64_t{problem.heads} * problem.head_dim;
    const int sequence = place_of(query_index, problem.heads, &Problem::queries_of, problem.seqlen).sequence;
    const int head = static_cast<int>(query_index % row_elems / problem.head_dim);
    const int64_t key = problem.first_key(sequence) + key_of_query(query_index);
    return (key * problem.key_heads() + problem.key_head(head)) * problem.head_dim + query_index % problem.head_dim;
  }
};

/// The values that the elements of this problem are drawn from, in its type: 65536 equally likely quantiles for each
/// of Q, K, V and dO in turn.
std::vector<uint16_t> input_table(const Problem& problem);

struct HostInputs {
  std::vector<uint16_t> q, k, v;
  std::vector<uint16_t> d_o = {};  ///< of a backward pass alone
};

HostInputs make_inputs(const Problem& problem);

}  // namespace flash_steps
