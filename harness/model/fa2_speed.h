// How fast FlashAttention-2 ran, as a share of the tensor pipe's peak: what turns a bound in percent of peak into one
// in percent of FlashAttention-2.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/model/rates.h"
#include "harness/results/published.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

struct Fa2Speed {
  const Rates* rates;
  double tflops;       ///< of the products of matrices alone, as this project counts
  double peak_tflops;  ///< of the tensor pipes at the SM clock of that run
  double sm_clock_mhz;

  double percent_of_peak() const { return 100 * tflops / peak_tflops; }
  /// Of FlashAttention-2, what is a percentage of peak.
  double percent(double percent_of_peak) const { return 100 * percent_of_peak / this->percent_of_peak(); }
};

/// At the locked clock. The published FLOP count the softmax, with 6 of them a score besides the 4·head_dim of the
/// products; here they are taken off. Nothing for a GPU whose rates are not known.
std::optional<Fa2Speed> fa2_speed(const PublishedColumn& column);

/// At a length, at the mean SM clock of the run (at the highest one where it was not read). Nothing if it was not timed
/// there, or for a GPU whose rates are not known.
std::optional<Fa2Speed> fa2_speed(const Sweep& sweep, int seqlen);

/// Of a run, at its mean SM clock.
std::optional<Fa2Speed> fa2_speed(const DeviceFacts& device, const TimingSummary& timing);

/// At seqlen 4096, by architecture: the published ones and, of the others, the first sweep's of this type.
std::map<std::string, Fa2Speed> fa2_speeds(const Published& published, const std::vector<Sweep>& sweeps, Dtype dtype);

}  // namespace flash_steps
