// Which weights are dropped: Philox against published answers, and its bytes against the lanes that hold the weights.
#include "harness/truth/dropout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/truth/judge.h"
#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"
#include "kernels/isa_philox.cuh"

namespace flash_steps {
namespace {

struct KnownAnswer {
  int rounds;
  PhiloxBlock counter;
  uint64_t key;
  PhiloxBlock drawn;
};

constexpr PhiloxBlock zeros{};
constexpr PhiloxBlock ones = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
constexpr PhiloxBlock digits_of_pi = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
constexpr uint64_t more_digits = 0x299f31d0a4093822;  // the key's lower word is the first of the file

// Those of Random123's file kat_vectors.
constexpr KnownAnswer known_answers[] = {
    {7, zeros, 0, {0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}},
    {7, ones, ~uint64_t{0}, {0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662}},
    {7, digits_of_pi, more_digits, {0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a}},
    {10, zeros, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {10, ones, ~uint64_t{0}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {10, digits_of_pi, more_digits, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

TEST(Philox, GivesThePublishedAnswers) {
  for (const KnownAnswer& known : known_answers) {
    EXPECT_EQ(philox4x32(known.counter, known.key, known.rounds), known.drawn) << known.rounds << " rounds";
  }
}

TEST(Philox, TheKernelsWordGivesThemAsWell) {
  for (const KnownAnswer& known : known_answers) {
    if (known.rounds != dropout_rounds) continue;
    const uint64_t low = known.counter[0] | uint64_t{known.counter[1]} << 32;
    uint32_t drawn[4];
    philox(drawn, known.key, low, known.counter[2], known.counter[3]);
    for (int i = 0; i < 4; i++) EXPECT_EQ(drawn[i], known.drawn[i]) << i;
  }
}

Problem dropping(double probability) {
  Problem problem{.batch = 2, .heads = 3, .seqlen = 48, .seqlen_kv = 80};
  problem.dropout = probability;
  return problem;
}

// From the other side: which weights the 16 bytes of a lane are for, as the accumulators of mma.m16n8k16 lie in lanes.
TEST(Dropout, ALaneDrawsForTheWeightsThatItHolds) {
  Problem problem = dropping(0.4);
  problem.dropout_offset = 0xffffffe0;  // the counters of the second sequence carry beyond 32 bits
  const int most = problem.dropping().largest_kept_byte;
  ASSERT_EQ(most, 153);
  int kept = 0;
  for (const auto& [sequence, head, rows, columns] : {std::array{0, 0, 0, 0}, {0, 2, 1, 1}, {1, 1, 2, 0}}) {
    for (uint32_t lane = 0; lane < 32; lane++) {
      const uint64_t low = problem.dropout_offset + (static_cast<uint64_t>(sequence) * 3 + head) * 32 + lane;
      const PhiloxBlock drawn = philox4x32({static_cast<uint32_t>(low), static_cast<uint32_t>(low >> 32),
                                            static_cast<uint32_t>(rows), static_cast<uint32_t>(columns)},
                                           problem.seed, dropout_rounds);
      for (int byte = 0; byte < 16; byte++) {
        const int accumulator = byte % 4;  // of the eight columns byte / 4
        const int row = rows * 16 + static_cast<int>(lane / 4) + accumulator / 2 * 8;
        const int column = columns * 32 + byte / 4 * 8 + static_cast<int>(lane % 4) * 2 + accumulator % 2;
        const bool is_kept = static_cast<int>(drawn[byte / 4] >> byte % 4 * 8 & 0xff) <= most;
        EXPECT_EQ(keeps_weight(problem, sequence, head, row, column), is_kept) << row << ", " << column;
        kept += is_kept;
      }
    }
  }
  EXPECT_NEAR(kept / (3 * 512.0), 154 / 256.0, 0.04);
}

TEST(Dropout, TheLargestByteIsThatOfFlashAttention2) {
  for (const auto& [probability, byte] :
       {std::pair{0.0, 255}, {0.1, 229}, {0.17, 211}, {0.2, 204}, {0.5, 127}, {0.9, 25}, {0.999, 0}}) {
    EXPECT_EQ(dropping(probability).dropping().largest_kept_byte, byte) << probability;
  }
}

// With equal logits and one column of V that is 1 for one key and 0 for all others O shows a single bit of the mask.
TEST(Dropout, TheReferenceDropsThoseWeightsAndScalesTheOthers) {
  Problem problem = dropping(0.25);
  problem.inputs = InputDistribution::constant;
  problem.mask = Mask::causal;
  HostInputs inputs = make_inputs(problem);
  for (int64_t i = 0; i < problem.kv_elements(); i++) {
    const int64_t key = i / (int64_t{problem.heads} * problem.head_dim) % problem.keys();
    inputs.v[i] = from_double(i % problem.head_dim == key ? 1 : 0, problem.dtype);
  }
  const Reference reference = reference_attention(problem, inputs);
  for (int64_t i = 0; i < problem.elements(); i++) {
    const int key = static_cast<int>(i % problem.head_dim);
    const int head = static_cast<int>(i / problem.head_dim % problem.heads);
    const int64_t row = i / (int64_t{problem.heads} * problem.head_dim);
    const int sequence = static_cast<int>(row / problem.seqlen);
    const int query = static_cast<int>(row % problem.seqlen);
    const int visible = problem.visible_keys(query);
    const bool is_kept = key < visible && keeps_weight(problem, sequence, head, query, key);
    ASSERT_NEAR(reference.exact[i], is_kept ? 1 / (0.75 * visible) : 0, 1e-9) << i;
  }
}

TEST(Dropout, TheRowSumIsThatOfAllWeights) {
  const Problem with = dropping(0.5);
  Problem without = with;
  without.dropout = 0;
  const HostInputs inputs = make_inputs(with);
  EXPECT_EQ(reference_attention(with, inputs).lse, reference_attention(without, inputs).lse);
}

}  // namespace
}  // namespace flash_steps
