#include "harness/emulator/async/mbarriers.h"

namespace flash_steps::emulator {
namespace {

constexpr int64_t most_bytes = (1 << 20) - 1;
constexpr uint32_t barrier_bytes = 8;

std::string offset(uint32_t address) { return std::to_string(int64_t{address} - shared_base()); }

}  // namespace

void Mbarriers::reset() { barriers_.clear(); }

void Mbarriers::init(int thread, uint32_t address, int arrivals, const Site& site) {
  const uint32_t zero = 0;
  for (uint32_t half = 0; half < barrier_bytes; half += sizeof zero) {
    shared_.write(thread, address + half, sizeof zero, site, &zero);
  }
  if (address % barrier_bytes != 0)
    misused(site, thread, "makes an mbarrier at byte " + offset(address) + ", which is no multiple of 8: align it.");
  if (barriers_.count(address) != 0) {
    return misused(site, thread, "makes " + describe(address) + " a second time: make each once.");
  }
  if (arrivals < 1)
    return misused(site, thread, "makes an mbarrier of " + std::to_string(arrivals) + " arrivals: 1 is the least.");
  Barrier barrier;
  barrier.init = &site;
  barrier.init_thread = thread;
  barrier.init_time = shared_.clocks().now(thread / warp_lanes);
  barrier.expected = barrier.missing = arrivals;
  barrier.agent = shared_.clocks().add_agent();
  barriers_.emplace(address, barrier);
}

void Mbarriers::fence(int thread) {
  for (auto& [address, barrier] : barriers_) barrier.fenced |= barrier.init_thread == thread;
}

Mbarriers::Barrier* Mbarriers::usable(int thread, uint32_t address, const Site& site) {
  const auto found = barriers_.find(address);
  if (found == barriers_.end()) {
    misused(site, thread,
            "uses byte " + offset(address) + " of shared memory, where no mbarrier is: make it with mbarrier_init().");
    return nullptr;
  }
  Barrier& barrier = found->second;
  if (barrier.init_thread != thread &&
      !shared_.clocks().knows(thread / warp_lanes, barrier.init_thread / warp_lanes, barrier.init_time)) {
    misused(site, thread,
            "uses an mbarrier that " + place(access(barrier.init, barrier.init_thread)) +
                " made, with no barrier since: put a barrier() behind it.");
  }
  return &barrier;
}

void Mbarriers::arrive(int thread, uint32_t address, const Site& site) {
  Barrier* barrier = usable(thread, address, site);
  if (barrier == nullptr) return;
  if (barrier->missing == 0) {
    return misused(site, thread,
                   "arrives at " + describe(address) +
                       ": it is one arrival more than it expects; correct the number or the arrival.");
  }
  shared_.clocks().publish(thread / warp_lanes, barrier->arrived);
  barrier->missing--;
  end_phase_if_complete(*barrier);
}

void Mbarriers::arrive_expecting(int thread, uint32_t address, int bytes, const Site& site) {
  Barrier* barrier = usable(thread, address, site);
  if (barrier == nullptr) return;
  barrier->bytes += bytes;
  if (barrier->bytes > most_bytes) {
    misused(site, thread, "expects " + std::to_string(barrier->bytes) + " bytes at once: 1048575 are the most.");
  }
  arrive(thread, address, site);
}

bool Mbarriers::wait(int thread, uint32_t address, int parity, const Site& site) {
  Barrier* barrier = usable(thread, address, site);
  if (barrier == nullptr) return true;
  const auto [began, is_new] = barrier->waiting.emplace(thread, barrier->phase);
  if (barrier->phase - began->second >= 2) {
    misused(site, thread,
            "waits at " + describe(address) +
                " while two phases end, and cannot tell the one from the other: let nobody begin a "
                "phase before all have seen the end of the last.");
    barrier->waiting.erase(began);
    return true;
  }
  if (barrier->phase % 2 == static_cast<uint32_t>(parity)) return false;
  barrier->waiting.erase(began);
  const int warp = thread / warp_lanes;
  shared_.clocks().learn(warp, barrier->ended);
  shared_.clocks().learn(warp, barrier->agent, barrier->phase);
  return true;
}

Mbarriers::Ticket Mbarriers::ticket(int thread, uint32_t address, const Site& site) {
  const Barrier* barrier = usable(thread, address, site);
  if (barrier == nullptr) return {-1, 0};
  if (!barrier->fenced) {
    misused(site, thread,
            "counts its bytes at an mbarrier that " + place(access(barrier->init, barrier->init_thread)) +
                " made and no fence followed: put mbarrier_init_fence() behind it, in the same thread.");
  }
  return {barrier->agent, barrier->phase};
}

void Mbarriers::landed(int thread, uint32_t address, uint32_t phase, int bytes, const Site& site) {
  const auto found = barriers_.find(address);
  if (found == barriers_.end()) return;
  Barrier& barrier = found->second;
  if (barrier.phase != phase) {
    misused(site, thread,
            "still copies when the phase that counts its bytes has ended, at " + describe(address) +
                ": let mbarrier_arrive_expect_tx() expect all the bytes of the copies of a phase.");
  }
  barrier.bytes -= bytes;
  if (barrier.bytes < -most_bytes)
    misused(site, thread, "copies a million bytes that " + describe(address) + " does not expect.");
  end_phase_if_complete(barrier);
}

void Mbarriers::end_phase_if_complete(Barrier& barrier) {
  if (barrier.missing != 0 || barrier.bytes != 0) return;
  barrier.phase++;
  barrier.missing = barrier.expected;
  barrier.ended = barrier.arrived;  // arrivals of the next phase come on top of it
}

void Mbarriers::exit() {
  for (const auto& [address, barrier] : barriers_) {
    if (barrier.missing == barrier.expected && barrier.bytes == 0) continue;
    misused(*barrier.init, barrier.init_thread,
            "makes a barrier that is left in the middle of a phase when all threads have exited: " + describe(address) +
                ".");
  }
}

std::string Mbarriers::describe(uint32_t address) const {
  std::string text = "the mbarrier at byte " + offset(address);
  const auto found = barriers_.find(address);
  if (found == barriers_.end()) return text + ", which nobody made";
  const Barrier& barrier = found->second;
  return text + ", in phase " + std::to_string(barrier.phase) + " with " + std::to_string(barrier.missing) + " of " +
         std::to_string(barrier.expected) + " arrivals and " + std::to_string(barrier.bytes) + " bytes missing";
}

void Mbarriers::misused(const Site& site, int thread, const std::string& sentence) {
  hazards_.add(HazardKind::mbarrier_misused, nullptr, site, thread, sentence);
}

}  // namespace flash_steps::emulator
