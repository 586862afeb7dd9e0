// A machine that kernels run on. There are two: the GPU (harness/gpu) and the emulator (harness/emulator). Nothing
// above this interface knows which one runs, except that one of them takes times and the other watches.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/contract/kernel.h"
#include "harness/machine/baseline.h"
#include "harness/machine/device.h"
#include "harness/machine/observation.h"
#include "harness/machine/timing.h"
#include "harness/truth/judge.h"

namespace flash_steps {

/// Sees what a launch does: the emulator.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Of the last check or launch; there must have been one.
  virtual const Observation& observation() const = 0;
};

/// A baseline's memory, which was enough to prepare it, does not suffice for a launch.
struct BaselineOutOfMemory : OutOfMemory {
  BaselineOutOfMemory(Baseline which, const std::string& sentence) : OutOfMemory(sentence), baseline(which) {}
  Baseline baseline;
};

/// Takes times, of kernels and of what they are compared with: a GPU. All calls are about the loaded problem.
class Stopwatch {
 public:
  virtual ~Stopwatch() = default;

  /// Makes a baseline ready until the next load: its memory, its plans. Throws MachineError, with a sentence that says
  /// what would work, if it cannot run here: OutOfMemory if that is why.
  virtual void prepare(Baseline baseline) = 0;

  /// What computes a prepared baseline, with its version.
  virtual std::string implementation(Baseline baseline) const = 0;

  /// As of a variant, of a prepared baseline. A check throws OutOfMemory, too.
  virtual MemoryUse memory(Baseline baseline) = 0;
  virtual OutputErrors check(Baseline baseline) = 0;

  /// Times the variants and the prepared baselines, all of them interleaved in rounds; one Timing each, in order, the
  /// baselines' last. Samples of the same number are of the same round. Throws BaselineOutOfMemory.
  virtual std::vector<Timing> time(std::span<const Variant* const> variants, std::span<const Baseline> baselines,
                                   const TimingBudget& budget) = 0;
};

class Machine {
 public:
  virtual ~Machine() = default;

  virtual const DeviceFacts& device() const = 0;

  /// The problem that is run when the command line leaves it open.
  virtual Problem default_problem() const = 0;

  /// Why this variant cannot run this problem here, as a sentence that says what would work; nothing if it can.
  /// Asks only what depends on the machine; what depends on the shape alone is asked by contract/coverage.
  virtual std::optional<std::string> refusal(const Variant& variant, const Problem& problem) const = 0;

  virtual Resources resources(const Variant& variant) = 0;

  /// Allocates, makes the inputs and (unless with_reference is false) the reference; until the next load every call
  /// below works on this problem. Throws OutOfMemory.
  virtual void load(const Problem& problem, bool with_reference) = 0;

  /// What a launch of the variant on the loaded problem holds.
  virtual MemoryUse memory(const Variant& variant) = 0;

  /// Fills O with NaN, launches once and compares. Needs a reference. Throws KernelError if the kernel ends the launch.
  virtual OutputErrors check(const Variant& variant) = 0;

  /// Launches `repeats` times, each time into an O filled with NaN. Returns how many of the outputs differ from the
  /// first in any bit. A GPU leaves out what the variant says that it does not order.
  virtual int differing_repeats(const Variant& variant, int repeats) = 0;

  /// Launches once and waits: what --profile puts under a profiler.
  virtual void launch(const Variant& variant) = 0;

  /// O, or dQ, dK and dV, as the last check or launch left it. The emulator's has behind O the bits of L, in fp32, of a
  /// variant that writes it.
  virtual std::vector<uint16_t> output() = 0;

  /// nullptr: it does not watch.
  virtual Observer* observer() { return nullptr; }

  /// nullptr: it takes no times.
  virtual Stopwatch* stopwatch() { return nullptr; }
};

/// The emulator with CTAs spread over `threads` host threads (0: one a core). A lane_order_seed other than 0 steps
/// the lanes in a shuffled order, which must not change anything.
std::unique_ptr<Machine> make_emulator(int threads = 0, uint64_t lane_order_seed = 0);

/// The GPU. Throws MachineError, with a sentence that says why, when this build or this machine has none.
std::unique_ptr<Machine> make_gpu();

}  // namespace flash_steps
