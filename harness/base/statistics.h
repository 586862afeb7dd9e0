// What is reported of a list of samples.
#pragma once

#include <vector>

namespace flash_steps {

struct Statistics {
  double median = 0;
  double p20 = 0;
  double p80 = 0;
  double min = 0;
};

/// Percentiles lie between samples by linear interpolation. There must be at least one sample.
Statistics statistics_of(std::vector<double> samples);

}  // namespace flash_steps
