// The command line as it was given, before anything of it is understood. What the values mean is decided in options.cpp
// and not by the library that reads it, for errors that say what would work.
#pragma once

#include <string>
#include <vector>

namespace flash_steps {

struct Given {
  std::string kernel, device, batch, heads, seqlen, head_dim, dtype, seed, inputs, config;
  std::string seqlen_kv, kv_heads, dropout, padding, pass;
  std::string baseline, samples, min_time, repeat, host_threads, lane_order, json, arch, sass, update, completion, site;
  std::string predict, clock, without, timeline;
  bool causal = false;
  bool list = false, check_only = false, profile = false, diff = false, explain = false, machine_code = false;
  bool resume = false, table = false, bounds = false, predictions = false, errors = false, stale = false,
       version = false, needs = false, lines = false;
  bool quiet = false, verbose = false;
  std::vector<std::string> files;  ///< what is not an option
  std::string help;                ///< not empty: it was asked for, or nothing was given
};

/// Throws UsageError for what is no option, and for options without a value or with one too many.
Given read_arguments(int argc, const char* const* argv);

/// The names of all options, "--kernel" and so on, in the order of the help.
std::vector<std::string> option_names();

}  // namespace flash_steps
