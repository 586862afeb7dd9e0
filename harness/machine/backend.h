// A machine that kernels run on. There are two: the GPU (harness/gpu) and the emulator (harness/emulator).
// Nothing above this interface knows which one runs, except that only a GPU gives times and only the emulator counts.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"
#include "harness/machine/baseline.h"
#include "harness/machine/counters.h"

namespace flash_steps {

/// The machine cannot do it: no GPU, too old, out of memory, no such driver. The runner exits with 3.
struct MachineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DeviceFacts {
  Target backend = Target::emulator;
  std::string name;
  std::string compute_capability;  ///< "9.0"; empty on the emulator
  int sm_count = 0;                ///< on the emulator: host threads that CTAs are spread over
  int64_t l2_bytes = 0;
  int64_t memory_bytes = 0;
  int smem_bytes_per_cta = 0;  ///< most dynamic shared memory that a CTA can have
  double sm_clock_max_mhz = 0;
  double memory_clock_max_mhz = 0;
  std::string driver;  ///< empty on the emulator
  /// What mma.sync alone reaches; on a GPU, once something was timed.
  std::optional<double> mma_ceiling_tflops = std::nullopt;
};

/// What one launch of a variant takes.
struct Resources {
  int registers = 0;    ///< of one thread; 0 on the emulator
  int smem_bytes = 0;   ///< static and dynamic shared memory of one CTA
  int spill_bytes = 0;  ///< local memory of one thread
  int ctas_per_sm = 0;  ///< 0 on the emulator
};

/// What a run holds of the device's memory at its fullest. The reference, what else checks an output and what
/// overwrites L2 are the harness's own and are not counted; nor are code, nor what CUDA and cuBLAS take once for
/// themselves.
struct MemoryUse {
  int64_t tensor_bytes = 0;     ///< Q, K, V and O
  int64_t workspace_bytes = 0;  ///< what the computation allocates besides: S of standard attention, 0 of a kernel

  int64_t peak_bytes() const { return tensor_bytes + workspace_bytes; }
  bool operator==(const MemoryUse&) const = default;
};

/// A kernel's output against the reference of the loaded problem (see validate.h for the rule that judges it).
struct OutputErrors {
  double max_abs = 0;        ///< max|out − ref|; NaN if any output is NaN
  double rms = 0;            ///< √mean((out − ref)²)
  double ref16_max_abs = 0;  ///< the same of plain attention with S, P and O rounded to 16 bits
  double ref16_rms = 0;
  double max_abs_reference = 0;  ///< max|ref|
  std::string reference;         ///< how the reference was made, for the results file
};

/// How much to measure.
struct TimingBudget {
  int min_samples = 20;      ///< of each kernel
  double min_seconds = 0.5;  ///< of each kernel's own time
};

struct Timing {
  std::vector<double> samples_ms;  ///< in the order of the rounds
  double sm_clock_mhz = 0;         ///< mean while measuring; 0 if NVML is not there
  double power_watts = 0;
  double temperature_celsius = 0;
  bool throttled = false;  ///< the clocks were held down by power or heat at some time
};

/// Counters of one source line.
struct LineCounters {
  std::string file;
  int line = 0;
  std::string word;  ///< "ldmatrix_x4", as the line calls it
  uint64_t instructions = 0;
  uint64_t wavefronts = 0;
  uint64_t ideal_wavefronts = 0;
  uint64_t sectors = 0;
};

/// What the emulator found out about one launch.
struct Observation {
  Counters counters;
  std::vector<LineCounters> lines;   ///< by file and line
  std::vector<std::string> hazards;  ///< a paragraph each; empty for a correct kernel
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const DeviceFacts& device() const = 0;

  /// The problem that is run when the command line leaves it open.
  virtual Problem default_problem() const = 0;

  /// Why this variant cannot run this problem here, as a sentence that says what would work; nothing if it can.
  /// Asks only what depends on the machine; what depends on the shape alone is asked by check_shape (validate.h).
  virtual std::optional<std::string> refusal(const Variant& variant, const Problem& problem) const = 0;

  virtual Resources resources(const Variant& variant) = 0;

  /// Allocates, makes the inputs and (unless with_reference is false) the reference; until the next load every call
  /// below works on this problem. Throws MachineError when memory does not suffice.
  virtual void load(const Problem& problem, bool with_reference) = 0;

  /// What a launch on the loaded problem holds: the same for every variant, since none of them allocates anything.
  virtual MemoryUse memory() = 0;

  /// Fills O with NaN, launches once and compares. Needs a reference.
  virtual OutputErrors check(const Variant& variant) = 0;

  /// Launches `repeats` times, each time into an O filled with NaN. Returns how many of the outputs differ from the
  /// first in any bit.
  virtual int differing_repeats(const Variant& variant, int repeats) = 0;

  /// Launches once and waits: what --profile puts under a profiler.
  virtual void launch(const Variant& variant) = 0;

  /// Makes a baseline ready for the loaded problem, until the next load: its memory, its plans. Returns why it cannot
  /// run here, as a sentence that says what would work; nothing if it can. It begins with "out of memory" if that is
  /// why.
  virtual std::optional<std::string> prepare(Baseline baseline) = 0;

  /// What computes a prepared baseline, with its version.
  virtual std::string implementation(Baseline baseline) const = 0;

  /// As of a variant, of a prepared baseline.
  virtual MemoryUse memory(Baseline baseline) = 0;
  virtual OutputErrors check(Baseline baseline) = 0;

  /// O as the last check or launch left it.
  virtual std::vector<uint16_t> output() = 0;

  /// Times the variants and the prepared baselines, all of them interleaved in rounds; one Timing each, in order, the
  /// baselines' last. Samples of the same number are of the same round. Nothing on the emulator.
  virtual std::vector<Timing> time(std::span<const Variant* const> variants, std::span<const Baseline> baselines,
                                   const TimingBudget& budget) = 0;

  /// What the last check or launch showed; nothing on a GPU.
  virtual std::optional<Observation> observation() const = 0;
};

/// The emulator with CTAs spread over `threads` host threads (0: one a core). A lane_order_seed other than 0 steps
/// the lanes in a shuffled order, which must not change anything.
std::unique_ptr<Backend> make_emulator(int threads = 0, uint64_t lane_order_seed = 0);

/// The GPU. Throws MachineError, with a sentence that says why, when this build or this machine has none.
std::unique_ptr<Backend> make_gpu();

}  // namespace flash_steps
