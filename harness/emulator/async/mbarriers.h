// mbarriers: 8 bytes of shared memory each, that count arrivals and bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/emulator/memory/shared_memory.h"

namespace flash_steps::emulator {

/// A phase of an mbarrier ends when no arrival and no byte is missing. Bytes may come before they are expected. Who
/// arrives passes on what its warp knows, and who waits for the end of a phase learns it; and that the copies of that
/// phase have ended, which are what the agent of the barrier did at the time that is the phase's number.
class Mbarriers {
 public:
  Mbarriers(SharedMemory& shared, HazardLog& hazards) : shared_(shared), hazards_(hazards) {}

  void reset();

  void init(int thread, uint32_t address, int arrivals, const Site& site);
  void fence(int thread);
  void arrive(int thread, uint32_t address, const Site& site);
  void arrive_expecting(int thread, uint32_t address, int bytes, const Site& site);

  /// Whether the phase of this parity has ended. Asked again and again until it has.
  bool wait(int thread, uint32_t address, int parity, const Site& site);

  /// Where a copy counts its bytes.
  struct Ticket {
    int agent;
    uint32_t phase;
  };
  /// For a copy that a thread starts now; null phase and agent −1 if there is no barrier.
  Ticket ticket(int thread, uint32_t address, const Site& site);
  void landed(int thread, uint32_t address, uint32_t phase, int bytes, const Site& site);

  /// What is left over when all threads have exited.
  void exit();

  /// "the mbarrier at byte 65536, in phase 3, 1 of 2 arrivals and 512 bytes short"
  std::string describe(uint32_t address) const;

 private:
  struct Barrier {
    const Site* init = nullptr;
    int init_thread = 0;
    uint32_t init_time = 0;
    bool fenced = false;
    int expected = 0;
    int missing = 0;     // arrivals
    int64_t bytes = 0;   // that are missing; below 0 if some came before they were expected
    uint32_t phase = 0;  // its number
    int agent = 0;
    Clocks::Knowledge arrived, ended;  // what this phase's arrivals passed on, and those of the phases before
    std::map<int, uint32_t> waiting;   // by thread: the phase in which it began to wait
  };

  Barrier* usable(int thread, uint32_t address, const Site& site);
  void end_phase_if_complete(Barrier& barrier);
  void misused(const Site& site, int thread, const std::string& sentence);

  SharedMemory& shared_;
  HazardLog& hazards_;
  std::map<uint32_t, Barrier> barriers_;  // by address
};

}  // namespace flash_steps::emulator
