#include "harness/emulator/async/units.h"

namespace flash_steps::emulator {

void AsyncUnits::reset() {
  mbarriers_.reset();
  tma_.reset();
  warpgroups_.reset();
  named_barriers_.reset();
  registers_.reset();
}

uint32_t AsyncUnits::execute(const Lanes& lanes, Site& site) {
  if (site.word == Word::mbarrier_wait) return wait_at_mbarrier(lanes, site);
  site.counters.instructions++;
  const bool of_one_lane = site.word == Word::tma_load || site.word == Word::tma_store;
  if (of_one_lane && lanes.count > 1) {
    hazards_.add(HazardKind::tma_misused, nullptr, site, lanes.threads[1],
                 "is called by " + std::to_string(lanes.count) +
                     " lanes of a warp, each of which copies the box: let one call it, as with elect_one().");
  }
  uint32_t done = 0;
  for (int i = 0; i < lanes.count; i++) {
    execute_one(*lanes.operations[i], lanes.threads[i], site);
    done |= uint32_t{1} << lanes.threads[i] % warp_lanes;
  }
  if (site.word == Word::proxy_fence) shared_.clocks().tick(lanes.threads[0] / warp_lanes);
  return done;
}

uint32_t AsyncUnits::wait_at_mbarrier(const Lanes& lanes, const Site& site) {
  uint32_t done = 0;
  for (int i = 0; i < lanes.count; i++) {
    const Operation& operation = *lanes.operations[i];
    if (mbarriers_.wait(lanes.threads[i], operation.smem, operation.immediate, site)) {
      done |= uint32_t{1} << lanes.threads[i] % warp_lanes;
    }
  }
  return done;
}

void AsyncUnits::execute_one(const Operation& operation, int thread, Site& site) {
  switch (site.word) {
    case Word::mbarrier_init:
      return mbarriers_.init(thread, operation.smem, operation.immediate, site);
    case Word::mbarrier_init_fence:
      return mbarriers_.fence(thread);
    case Word::mbarrier_arrive:
      return mbarriers_.arrive(thread, operation.smem, site);
    case Word::mbarrier_arrive_expect_tx:
      return mbarriers_.arrive_expecting(thread, operation.smem, operation.immediate, site);
    case Word::tma_load:
      return tma_.load(thread, *static_cast<const TmaCopy*>(operation.from), site);
    case Word::tma_store:
      return tma_.store(thread, *static_cast<const TmaCopy*>(operation.from), site);
    case Word::tma_store_commit:
      return tma_.commit(thread);
    case Word::tma_store_wait_read:
      return tma_.wait_read(thread, operation.immediate);
    case Word::proxy_fence:
      return shared_.proxy_fence(thread);
    default:
      return;
  }
}

bool AsyncUnits::execute(const WarpOperation& lanes, int warp, Site& site) {
  const Operation& first = *lanes[0];
  switch (site.word) {
    case Word::named_barrier_sync:
      if (!named_barriers_.sync(warp, static_cast<int>(first.smem), first.immediate, site)) return false;
      break;
    case Word::named_barrier_arrive:
      named_barriers_.arrive(warp, static_cast<int>(first.smem), first.immediate, site);
      break;
    case Word::setmaxnreg_inc:
      if (!registers_.increase(warp, first.immediate, site)) return false;
      break;
    case Word::setmaxnreg_dec:
      registers_.decrease(warp, first.immediate, site);
      break;
    case Word::wgmma_fence:
      warpgroups_.fence(warp);
      break;
    case Word::wgmma_commit:
      warpgroups_.commit(warp);
      break;
    case Word::wgmma_wait:
      warpgroups_.wait(warp, first.immediate, site);
      break;
    default:
      break;
  }
  site.counters.instructions++;
  return true;
}

void AsyncUnits::multiply(int warpgroup, const std::array<WarpOperation, warpgroup_warps>& warps, const Site& site) {
  std::array<const Wgmma*, warpgroup_warps * warp_lanes> lanes;
  for (int l = 0; l < warpgroup_warps * warp_lanes; l++) {
    lanes[l] = static_cast<const Wgmma*>(warps[l / warp_lanes][l % warp_lanes]->from);
  }
  const bool transposed = site.word == Word::wgmma_trans_fp16 || site.word == Word::wgmma_trans_bf16;
  const bool fp16 = site.word == Word::wgmma_fp16 || site.word == Word::wgmma_trans_fp16;
  warpgroups_.multiply(warpgroup, lanes, fp16 ? Dtype::fp16 : Dtype::bf16, transposed, site);
}

void AsyncUnits::exit() {
  tma_.exit();
  mbarriers_.exit();
  warpgroups_.exit();
  named_barriers_.exit();
  registers_.exit();
}

std::string AsyncUnits::awaited(const Operation& operation) const {
  switch (operation.word) {
    case Word::mbarrier_wait:
      return " for the end of a phase of parity " + std::to_string(operation.immediate) + " of " +
             mbarriers_.describe(operation.smem);
    case Word::named_barrier_sync:
      return " for " + named_barriers_.describe(static_cast<int>(operation.smem));
    case Word::setmaxnreg_inc:
      return " for " + std::to_string(operation.immediate) + " registers a thread, with " + registers_.describe();
    default:
      return "";
  }
}

}  // namespace flash_steps::emulator
