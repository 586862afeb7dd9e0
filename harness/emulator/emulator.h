// Runs a kernel on the emulated warps: on any machine, with the counters of the hardware and with the checks that the
// hardware does not do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/emulator/memory/global_memory.h"
#include "harness/emulator/memory/hazard.h"
#include "harness/machine/observation.h"

namespace flash_steps::emulator {

struct LaunchConfig {
  int grid_x = 1;
  int grid_y = 1;
  int grid_z = 1;
  int threads = 32;    ///< of a CTA; a multiple of 32, at most 1024
  int smem_bytes = 0;  ///< dynamic shared memory of a CTA
  std::vector<GlobalBuffer> buffers = {};
  int64_t first_cta = 0;         ///< those before it, x counted fastest, are left out: nobody asks what they compute
  int host_threads = 1;          ///< that CTAs are spread over; 0: one a core
  uint64_t lane_order_seed = 0;  ///< other than 0: warps and their lanes are stepped in a shuffled order
};

struct LaunchReport {
  Counters counters;
  std::vector<LineCounters> lines;  ///< by file, line and word
  std::vector<Hazard> hazards;      ///< in the order of the CTAs; each kind and pair of lines once
  int64_t touched_smem_bytes = 0;   ///< the end of what any CTA touched of its dynamic shared memory
};

/// Runs `thread_body` once for each thread of each CTA. A hazard does not end the launch; but a CTA whose lanes or
/// warps cannot meet is given up. The report does not depend on host_threads. Throws std::invalid_argument for a
/// config that no GPU would launch, and what thread_body throws.
LaunchReport launch(const LaunchConfig& config, const std::function<void()>& thread_body);

}  // namespace flash_steps::emulator
