// The exact test of dropout: with equal logits, as many keys as there are elements to a head, and V the identity each
// element of O is one weight, dropped or not. Backward it is dO that is the identity, and dV that shows the weights.
#include "harness/truth/dropout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/truth/inputs.h"
#include "harness/truth/numbers.h"
#include "tests/support/emulator_fixture.h"

namespace flash_steps {
namespace {

using emulator::TestBuffer;

template <typename T>
TestBuffer holding(const char* name, const std::vector<T>& values, bool writable = false) {
  TestBuffer buffer(name, values.size() * sizeof(T), writable);
  std::copy(values.begin(), values.end(), buffer.as<T>());
  return buffer;
}

void launch_all(const std::vector<Launch>& launches, const std::vector<emulator::GlobalBuffer>& buffers) {
  for (const Launch& launch : launches) {
    const emulator::LaunchReport report = emulator::launch({.grid_x = launch.grid.x,
                                                            .grid_y = launch.grid.y,
                                                            .grid_z = launch.grid.z,
                                                            .threads = launch.threads,
                                                            .smem_bytes = launch.smem_bytes,
                                                            .buffers = buffers},
                                                           launch.call);
    for (const emulator::Hazard& hazard : report.hazards) ADD_FAILURE() << to_string(hazard);
  }
}

std::vector<uint16_t> run(const Variant& variant, const Problem& problem, const HostInputs& inputs) {
  const TestBuffer q = holding("q", inputs.q), k = holding("k", inputs.k), v = holding("v", inputs.v);
  const TestBuffer o = holding("o", std::vector<uint16_t>(problem.elements(), 0xffff), true);
  const TestBuffer lse = holding("lse", std::vector<float>(problem.rows()), true);
  const TestBuffer starts = holding("starts", query_starts(problem));
  const TestBuffer kv_starts = holding("kv_starts", key_starts(problem));
  const Tensors tensors{.q = q.as<uint16_t>(),
                        .k = k.as<uint16_t>(),
                        .v = v.as<uint16_t>(),
                        .o = o.as<uint16_t>(),
                        .lse = lse.as<float>(),
                        .starts = starts.as<int>(),
                        .kv_starts = kv_starts.as<int>()};
  launch_all(variant.plan(problem, tensors),
             {q.view(), k.view(), v.view(), o.view(), lse.view(), starts.view(), kv_starts.view()});
  return {o.as<uint16_t>(), o.as<uint16_t>() + problem.elements()};
}

// dV of these inputs, where O is 0 and all rows have the same L.
std::vector<uint16_t> run_backward(const Variant& variant, const Problem& problem, const HostInputs& inputs,
                                   float lse_of_rows) {
  const TestBuffer q = holding("q", inputs.q), k = holding("k", inputs.k), v = holding("v", inputs.v);
  const TestBuffer o = holding("o", std::vector<uint16_t>(problem.elements())), d_o = holding("dO", inputs.d_o);
  const TestBuffer lse = holding("lse", std::vector<float>(problem.rows(), lse_of_rows));
  const TestBuffer starts = holding("starts", query_starts(problem));
  const TestBuffer kv_starts = holding("kv_starts", key_starts(problem));
  const TestBuffer dq("dQ", problem.bytes(), true), dk("dK", problem.kv_bytes(), true);
  const TestBuffer dv = holding("dV", std::vector<uint16_t>(problem.kv_elements(), 0xffff), true);
  const TestBuffer workspace("workspace", variant.workspace_bytes ? variant.workspace_bytes(problem) : 0, true);
  const Tensors tensors{.q = q.as<uint16_t>(),
                        .k = k.as<uint16_t>(),
                        .v = v.as<uint16_t>(),
                        .o = o.as<uint16_t>(),
                        .lse = lse.as<float>(),
                        .d_o = d_o.as<uint16_t>(),
                        .dq = dq.as<uint16_t>(),
                        .dk = dk.as<uint16_t>(),
                        .dv = dv.as<uint16_t>(),
                        .starts = starts.as<int>(),
                        .kv_starts = kv_starts.as<int>(),
                        .workspace = workspace.as<float>()};
  launch_all(variant.plan(problem, tensors),
             {q.view(), k.view(), v.view(), o.view(), d_o.view(), lse.view(), starts.view(), kv_starts.view(),
              dq.view(), dk.view(), dv.view(), workspace.view()});
  return {dv.as<uint16_t>(), dv.as<uint16_t>() + problem.kv_elements()};
}

// Q and K are 1, and V is the identity.
HostInputs identity(const Problem& problem) {
  HostInputs inputs = make_inputs(problem);
  for (int64_t i = 0; i < problem.kv_elements(); i++) {
    const int64_t key = i / (int64_t{problem.key_heads()} * problem.head_dim) % problem.keys();
    inputs.v[i] = from_double(i % problem.head_dim == key ? 1 : 0, problem.dtype);
  }
  return inputs;
}

void expect_every_bit(const Variant& variant) {
  const int head_dim = variant.coverage.head_dims.front();
  Problem problem{.batch = 2, .heads = 2, .seqlen = head_dim, .head_dim = head_dim, .dtype = variant.dtype};
  problem.inputs = InputDistribution::constant;
  problem.dropout = 0.5;  // a kept weight is 2 / head_dim, which both types have but for 96
  problem.dropout_offset = 0xffffffd0;
  const std::vector<uint16_t> o = run(variant, problem, identity(problem));
  const uint16_t kept = from_double(2.0 / head_dim, problem.dtype);
  for (int64_t i = 0; i < problem.elements(); i++) {
    const int64_t row = i / (int64_t{problem.heads} * head_dim);
    const bool keeps =
        keeps_weight(problem, static_cast<int>(row / problem.seqlen), static_cast<int>(i / head_dim % problem.heads),
                     static_cast<int>(row % problem.seqlen), static_cast<int>(i % head_dim));
    ASSERT_EQ(o[i], keeps ? kept : 0) << variant.tile.config << ", element " << i;
  }
}

TEST(ExactDropout, OShowsEveryBitOfTheMask) {
  int tried = 0;
  for (const Kernel* kernel : of_chapter("variants")) {
    for (const Variant& variant : kernel->emulator()) {
      if (!variant.coverage.dropout || !variant.writes(Output::o)) continue;
      SCOPED_TRACE(kernel->name);
      expect_every_bit(variant);
      tried++;
    }
  }
  EXPECT_GT(tried, 0);
}

// Rows of dO are those of the identity, again and again: an element of dV counts the kept weights of a few queries,
// each of which is 2 / 256.
void expect_every_bit_of_dv(const Variant& variant) {
  const int head_dim = variant.coverage.head_dims.front();
  Problem problem{.batch = 2, .heads = 2, .seqlen = 256, .head_dim = head_dim, .dtype = variant.dtype};
  problem.inputs = InputDistribution::constant;
  problem.pass = Pass::backward;
  problem.dropout = 0.5;
  problem.dropout_offset = 0xffffffd0;
  HostInputs inputs = make_inputs(problem);
  for (int64_t i = 0; i < problem.elements(); i++) {
    const int64_t row = i / (int64_t{problem.heads} * head_dim) % problem.seqlen;
    inputs.d_o[i] = from_double(i % head_dim == row % head_dim ? 1 : 0, problem.dtype);
  }
  const double lse = std::sqrt(head_dim) + std::log(256);  // all logits are √head_dim
  const std::vector<uint16_t> dv = run_backward(variant, problem, inputs, static_cast<float>(lse));
  for (int64_t i = 0; i < problem.kv_elements(); i++) {
    const int64_t row = i / (int64_t{problem.heads} * head_dim);
    int kept = 0;
    for (int query = static_cast<int>(i % head_dim); query < problem.seqlen; query += head_dim) {
      kept +=
          keeps_weight(problem, static_cast<int>(row / problem.seqlen), static_cast<int>(i / head_dim % problem.heads),
                       query, static_cast<int>(row % problem.seqlen));
    }
    ASSERT_EQ(dv[i], from_double(kept * 2 / 256.0, problem.dtype)) << variant.tile.config << ", element " << i;
  }
}

TEST(ExactDropout, DvShowsEveryBitOfTheMask) {
  int tried = 0;
  for (const Kernel* kernel : of_chapter("variants")) {
    for (const Variant& variant : kernel->emulator()) {
      if (!variant.coverage.dropout || !variant.writes(Output::dv)) continue;
      SCOPED_TRACE(kernel->name);
      expect_every_bit_of_dv(variant);
      tried++;
    }
  }
  EXPECT_GT(tried, 0);
}

}  // namespace
}  // namespace flash_steps
