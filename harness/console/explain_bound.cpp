#include "harness/console/explain_bound.h"

#include <ostream>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/console/bound.h"
#include "harness/contract/coverage.h"
#include "harness/measure/plan.h"
#include "harness/model/tile_work.h"
#include "harness/predict/other_problems.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

StoredMachineCode machine_code_or_nothing() {
  try {
    return read_stored_machine_code();
  } catch (const std::runtime_error&) {
    return {};
  }
}

std::map<std::string, Fa2Speed> fa2_or_nothing(Dtype dtype) {
  try {
    const Published published = read_published();
    const TableFiles table = read_table_folder(stored_results(), published);
    return fa2_speeds(published, sweeps_of(table.files, published), dtype);
  } catch (const std::runtime_error&) {
    return {};
  }
}

// Nothing where the build has no machine code, or there is no disassembler.
std::vector<MachineCodeRow> built_or_nothing(const Kernel& kernel, const Variant& variant) {
  try {
    return read_machine_code(kernel, chosen_variants(kernel, Target::gpu, variant.dtype, variant.tile.config), {});
  } catch (const MachineError&) {
    return {};
  }
}

// Of another problem than the sixteen's, where the kernel's chapter has times of it.
std::map<std::string, Fa2Speed> fa2_of_chapter(const Kernel& kernel, const Variant& variant) {
  Problem problem{.batch = published_batch(table_seqlen), .heads = 16, .seqlen = table_seqlen};
  problem.head_dim = variant.coverage.head_dims.front();
  problem.pass = variant.coverage.passes.front();
  problem.dtype = variant.dtype;
  std::map<std::string, Fa2Speed> speeds;
  try {
    const std::vector<ResultsFile> timed = timed_files(*kernel.chapter);
    for (const Card& card : all_cards()) {
      if (const auto speed = fa2_speed(card, problem, timed)) speeds.insert({card.arch, *speed});
    }
  } catch (const std::runtime_error&) {
    return {};
  }
  return speeds;
}

}  // namespace

BoundExplainer::BoundExplainer(Machine& emulator, Dtype dtype)
    : emulator_(emulator), machine_code_(machine_code_or_nothing()), fa2_(fa2_or_nothing(dtype)) {}

void BoundExplainer::print(std::ostream& out, const Kernel& kernel, const Variant& variant) {
  const TileWork work = observe_tile_work(emulator_, variant);
  print_bound(out, variant.tile, work, main_loops(kernel, variant, built_or_nothing(kernel, variant), machine_code_),
              computes_published(variant) ? fa2_ : fa2_of_chapter(kernel, variant));
}

}  // namespace flash_steps
