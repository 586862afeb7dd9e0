// A variant that is to be run.
#pragma once

#include <string>

#include "harness/contract/registry.h"

namespace flash_steps {

struct Job {
  const Kernel* kernel;
  const Variant* variant;

  std::string name() const { return kernel->name + " " + variant->tile.config; }
};

}  // namespace flash_steps
