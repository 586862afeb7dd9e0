// What the model of an SM issues against what the emulator counts: the machine code, in the order that the predictor
// puts it in, comes to the same instructions as the kernel's own words.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "harness/contract/coverage.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/predict/predict.h"

namespace flash_steps {
namespace {

const Predictor& stored_predictor() {
  static const Predictor predictor = read_predictor();
  return predictor;
}

// Of all CTAs of a launch, by the unit that they go to.
std::map<Unit, int64_t> issued(const Variant& variant, const Problem& problem, const Card& card) {
  const CtaProgram cta = stored_predictor().prepare(variant.kernel, variant.tile, card).cta;
  const std::vector<CtaTiles> ctas = ctas_of(problem, variant.tile);
  std::map<Unit, int64_t> all;
  std::vector<CtaTiles> done;
  for (const CtaTiles& tiles : ctas) {
    if (std::find(done.begin(), done.end(), tiles) != done.end()) continue;
    done.push_back(tiles);
    const SmRun run = run_sm(timings_of(card.rates()), cta.schedule(tiles.tiles, tiles.masked), 1, 1);
    const int64_t alike = std::count(ctas.begin(), ctas.end(), tiles);
    for (size_t i = 0; i < run.by_index.size(); i++) {
      all[cta.program().code[i].unit] += alike * run.by_index[i][static_cast<int>(Stall::issued)];
    }
  }
  return all;
}

struct Case {
  const char* kernel;
  const char* config;
  Problem problem;
};

std::vector<Case> cases() {
  Problem any{.batch = 1, .heads = 1, .seqlen = 200};
  any.seqlen_kv = 300;
  Problem causal{.batch = 1, .heads = 2, .seqlen = 384};
  causal.mask = Mask::causal;
  Problem uneven = causal;
  uneven.seqlen_kv = 500;
  Problem small = causal;
  small.head_dim = 64;
  Problem packed{.batch = 3, .heads = 1, .seqlen = 384};
  packed.padding = 300;
  Problem grouped{.batch = 1, .heads = 4, .seqlen = 256};
  grouped.kv_heads = 2;
  Problem dropped{.batch = 1, .heads = 1, .seqlen = 256};
  dropped.dropout = 0.1;
  return {{"16_static_stride", "128x64_q2k2v2c1_h16", {.batch = 1, .heads = 16, .seqlen = 256}},
          {"v01_any_length", "128x64", any},
          {"v02_causal", "128x64", causal},
          {"v02_causal", "128x64", uneven},
          {"v02_causal", "128x64", any},
          {"v03_head_dim", "d64_128x128", small},
          {"v04_packed", "d128_128x64", packed},
          {"v05_grouped_query", "d128_128x64", grouped},
          {"v06_logsumexp", "d128_128x64", causal},
          {"v07_dropout", "d128_128x64", dropped}};
}

TEST(Issued, TheInstructionsOfALaunchAreThoseThatTheEmulatorCounts) {
  const auto emulator = make_emulator();
  for (const Case& c : cases()) {
    const std::vector<Variant>& variants = find_kernel(c.kernel)->emulator();
    const auto variant =
        std::find_if(variants.begin(), variants.end(), [&](const Variant& v) { return v.tile.config == c.config; });
    if (variant == variants.end()) continue;  // a build of the default configs alone
    ASSERT_EQ(refusal(*variant, c.problem), std::nullopt) << c.kernel;
    emulator->load(c.problem, false);
    emulator->launch(*variant);
    const Counters& counted = emulator->observer()->observation().counters;
    for (const char* card : {"a100", "rtx3090", "h100"}) {
      const auto all = issued(*variant, c.problem, *select_cards(card).front());
      const auto of = [&](Unit unit) { return all.contains(unit) ? static_cast<uint64_t>(all.at(unit)) : 0; };
      const std::string name = std::string(c.kernel) + " on " + card + ", " + describe(c.problem);
      EXPECT_EQ(of(Unit::tensor), counted.mma_instructions) << name;
      EXPECT_EQ(of(Unit::ldmatrix), counted.ldmatrix.instructions) << name;
      EXPECT_EQ(of(Unit::copy), counted.cp_async.instructions) << name;
      EXPECT_EQ(of(Unit::shuffle), counted.shuffle_instructions) << name;
      EXPECT_EQ(of(Unit::barrier), counted.barrier_instructions) << name;
      EXPECT_EQ(of(Unit::shared_store), counted.shared_store.instructions) << name;
      EXPECT_EQ(of(Unit::global_store), counted.global_store.instructions) << name;
      // A CTA without queries asks where its sequence begins, as all do, and ends.
      const Grid grid = variant->plan(c.problem, {}).front().grid;
      const uint64_t there = ctas_of(c.problem, variant->tile).size();
      const uint64_t started = static_cast<uint64_t>(grid.x) * grid.y * grid.z;
      EXPECT_EQ(of(Unit::global_load) * started, counted.global_load.instructions * there) << name;
    }
  }
}

}  // namespace
}  // namespace flash_steps
