// A mutant on a GPU, in a process of its own: it may hang for ever, or take the GPU away from its process.
#pragma once

#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/base/process.h"
#include "mutants/on_gpu/gpu_list.h"

namespace flash_steps::mutants {

enum class GpuOutcome {
  right,    ///< in all launches
  wrong,    ///< in some
  hung,     ///< a launch did not end in time
  error,    ///< CUDA reports one
  refused,  ///< ptxas does not compile it
  failed,   ///< nothing is known: the process ended otherwise
};

const char* name_of(GpuOutcome outcome);

/// Launches of one length.
struct GpuCount {
  int batch = 0, heads = 0, seqlen = 0;
  int launches = 0;
  int wrong = 0;
};

struct GpuTrial {
  GpuOutcome outcome = GpuOutcome::failed;
  std::vector<GpuCount> counts;  ///< of the lengths that came to an end
  std::string error;             ///< what CUDA said, or why nothing is known
  std::string device;            ///< empty if the process did not get so far
  std::string driver;

  int launches() const;
  int wrong() const;
};

/// The lines that the process prints, for the one that reads them.
std::string line_of_device(const std::string& name, const std::string& driver);
std::string line_of_count(const GpuCount& count);
std::string line_of_error(const std::string& error);

/// What a process that printed them and ended so says. One that SIGALRM ended had a launch that did not.
GpuTrial read_gpu_trial(const ProcessResult& ended);

/// Runs a process that prints such lines, and ends it after so many seconds, of which nothing is known then. Throws
/// MachineError if it cannot be started.
GpuTrial try_apart_for(int seconds, std::vector<std::string> argv);

/// A row of a file of schema "flash-steps/gpu-mutants/1".
Json row_of_gpu_mutant(const BuiltMutant& mutant, const GpuTrial& trial);

}  // namespace flash_steps::mutants
