#include "harness/emulator/async/rendezvous.h"

#include "harness/emulator/async/warpgroups.h"

namespace flash_steps::emulator {
namespace {

constexpr int sm_registers = 65536;
constexpr int least_registers = 24, most_registers = 256, register_step = 8;

}  // namespace

void NamedBarriers::reset() {
  barriers_ = {};
  for (WaitsFor& warp : waits_for_) warp = {};
}

void NamedBarriers::arrive(int warp, int id, int threads, const Site& site) {
  Barrier& barrier = barriers_[id];
  const auto misused = [&](const std::string& sentence) {
    hazards_.add(HazardKind::named_barrier_misused, nullptr, site, warp * warp_lanes, sentence);
  };
  if (threads % warp_lanes != 0 || threads < warp_lanes) {
    return misused("is for " + std::to_string(threads) + " threads: a multiple of 32 works.");
  }
  if (barrier.threads != 0 && barrier.threads != threads) {
    return misused("is for " + std::to_string(threads) + " threads, and others came to barrier " + std::to_string(id) +
                   " for " + std::to_string(barrier.threads) + ": the numbers must be the same.");
  }
  if ((barrier.warps >> warp & 1) != 0) {
    return misused("comes to " + describe(id) + " a second time before the others: let it wait for them between.");
  }
  barrier.threads = threads;
  barrier.arrived += warp_lanes;
  barrier.warps |= uint64_t{1} << warp;
  barrier.site = &site;
  barrier.last_thread = warp * warp_lanes;
  shared_.clocks().publish(warp, barrier.passed_on);
  if (barrier.arrived < barrier.threads) return;
  barrier.last = barrier.passed_on;
  barrier.threads = barrier.arrived = 0;
  barrier.warps = 0;
  barrier.meeting++;
}

bool NamedBarriers::sync(int warp, int id, int threads, const Site& site) {
  WaitsFor& waits = waits_for_[warp];
  Barrier& barrier = barriers_[id];
  if (waits.id == 0) {
    waits = {id, barrier.meeting};
    arrive(warp, id, threads, site);
  }
  if (barrier.meeting == waits.meeting) return false;
  waits = {};
  shared_.clocks().learn(warp, barrier.last);
  shared_.warp_barrier(warp);
  return true;
}

void NamedBarriers::exit() {
  for (int id = 0; id < count; id++) {
    const Barrier& barrier = barriers_[id];
    if (barrier.threads == 0) continue;
    hazards_.add(HazardKind::named_barrier_misused, nullptr, *barrier.site, barrier.last_thread,
                 "is the last to come to " + describe(id) + " when all threads have exited: let the others come too.");
  }
}

std::string NamedBarriers::describe(int id) const {
  return "barrier " + std::to_string(id) + ", at which " + std::to_string(barriers_[id].arrived) + " of " +
         std::to_string(barriers_[id].threads) + " threads are";
}

// As many as the threads of a CTA that has the SM alone can have when it begins.
void RegisterPool::reset() {
  free_ = 0;
  of_warp_.assign(threads_ / warp_lanes, std::min(sm_registers / threads_ / register_step * register_step, 255));
  changed_.assign(of_warp_.size(), nullptr);
}

bool RegisterPool::usable(int warp, int registers, bool more, const Site& site) {
  const auto misused = [&](const std::string& sentence) {
    hazards_.add(HazardKind::registers_misused, nullptr, site, warp * warp_lanes, sentence);
    return false;
  };
  const std::string asked = std::to_string(registers);
  if (registers % register_step != 0 || registers < least_registers || registers > most_registers) {
    return misused("asks for " + asked + " registers: a multiple of 8 from 24 to 256 works.");
  }
  if (more ? registers < of_warp_[warp] : registers > of_warp_[warp]) {
    return misused("asks for " + asked + " registers where the thread has " + std::to_string(of_warp_[warp]) + ": " +
                   (more ? "setmaxnreg_dec" : "setmaxnreg_inc") + " is the word for that.");
  }
  changed_[warp] = &site;
  return true;
}

void RegisterPool::decrease(int warp, int registers, const Site& site) {
  if (!usable(warp, registers, false, site)) return;
  free_ += (of_warp_[warp] - registers) * warp_lanes;
  of_warp_[warp] = registers;
}

bool RegisterPool::increase(int warp, int registers, const Site& site) {
  if (!usable(warp, registers, true, site)) return true;
  const int needed = (registers - of_warp_[warp]) * warp_lanes;
  if (needed > free_) return false;
  free_ -= needed;
  of_warp_[warp] = registers;
  return true;
}

void RegisterPool::exit() {
  for (size_t warp = 0; warp < of_warp_.size(); warp++) {
    const size_t first = warp / warpgroup_warps * warpgroup_warps;
    if (of_warp_[warp] == of_warp_[first]) continue;
    const size_t odd = changed_[warp] != nullptr ? warp : first;
    hazards_.add(HazardKind::registers_misused, nullptr, *changed_[odd], static_cast<int>(odd) * warp_lanes,
                 "gives some warps of a warpgroup another number of registers than others: let all four call it.");
  }
}

std::string RegisterPool::describe() const { return std::to_string(free_) + " registers that nobody has"; }

}  // namespace flash_steps::emulator
