// What the driver says of a GPU while it works: clocks, power, heat. Read through NVML, which comes with the driver;
// the library is opened when first asked for, so that nothing depends on it.
#pragma once

#include <memory>
#include <string>

#include "harness/machine/timing.h"

namespace flash_steps {

class Nvml {
 public:
  virtual ~Nvml() = default;
  /// At this moment; 0 for what the driver does not tell.
  virtual GpuState read() const = 0;
  /// "580.65.06"; empty if the driver does not tell.
  virtual std::string driver_version() const = 0;
};

/// For the GPU with this PCI bus id, as CUDA prints it ("0000:3b:00.0"); null where there is no NVML.
std::unique_ptr<Nvml> open_nvml(const std::string& pci_bus_id);

}  // namespace flash_steps
