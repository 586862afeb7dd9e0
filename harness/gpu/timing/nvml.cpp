#include "harness/gpu/timing/nvml.h"

#include <dlfcn.h>

namespace flash_steps {
namespace {

// The part of NVML's binary interface that is used here, from its reference manual. NVML promises not to change it.
using Device = struct nvmlDevice_st*;
constexpr int success = 0;                    // NVML_SUCCESS
constexpr int sm_clock = 1;                   // NVML_CLOCK_SM
constexpr int gpu_sensor = 0;                 // NVML_TEMPERATURE_GPU
constexpr unsigned driver_version_size = 80;  // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE
constexpr unsigned instant_power = 186;       // NVML_FI_DEV_POWER_INSTANT

// nvmlFieldValue_t
struct FieldValue {
  unsigned field = 0;
  unsigned scope = 0;
  long long timestamp = 0;
  long long latency = 0;
  int value_type = 0;
  int result = 0;
  unsigned long long value = 0;
};

constexpr unsigned long long held_down = 0x04     // SwPowerCap
                                         | 0x08   // HwSlowdown
                                         | 0x20   // SwThermalSlowdown
                                         | 0x40   // HwThermalSlowdown
                                         | 0x80;  // HwPowerBrakeSlowdown

class Library {
 public:
  Library() : handle_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Null where the library does not have it.
  template <typename Function>
  Function* find(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

class LoadedNvml final : public Nvml {
 public:
  ~LoadedNvml() override {
    if (initialised_ && shutdown_ != nullptr) shutdown_();
  }

  // Whether the library, and in it this GPU, was found.
  bool open(const std::string& pci_bus_id) {
    if (init_ == nullptr || device_by_bus_id_ == nullptr || init_() != success) return false;
    initialised_ = true;
    return device_by_bus_id_(pci_bus_id.c_str(), &device_) == success;
  }

  GpuState read() const override {
    GpuState state;
    unsigned value = 0;
    if (clock_ != nullptr && clock_(device_, sm_clock, &value) == success) state.sm_clock_mhz = value;
    state.power_watts = milliwatts() / 1000.0;
    if (temperature_ != nullptr && temperature_(device_, gpu_sensor, &value) == success) {
      state.temperature_celsius = value;
    }
    unsigned long long reasons = 0;
    if (reasons_ != nullptr && reasons_(device_, &reasons) == success) state.throttled = (reasons & held_down) != 0;
    return state;
  }

  std::string driver_version() const override {
    char version[driver_version_size] = "";
    if (driver_version_ != nullptr && driver_version_(version, sizeof version) != success) return "";
    return version;
  }

 private:
  using ReadReasons = int(Device, unsigned long long*);

  // At this moment, where the driver tells that; what it tells everywhere is, since Ampere, the mean of a second.
  double milliwatts() const {
    FieldValue field{.field = instant_power};
    if (fields_ != nullptr && fields_(device_, 1, &field) == success && field.result == success) {
      return static_cast<double>(field.value & 0xffffffffu);  // an unsigned int, the first in the union
    }
    unsigned value = 0;
    return power_ != nullptr && power_(device_, &value) == success ? value : 0;
  }

  // Renamed on the way: older drivers know the old name alone.
  ReadReasons* find_reasons() const {
    ReadReasons* const current = library_.find<ReadReasons>("nvmlDeviceGetCurrentClocksEventReasons");
    return current != nullptr ? current : library_.find<ReadReasons>("nvmlDeviceGetCurrentClocksThrottleReasons");
  }

  Library library_;
  int (*init_)() = library_.find<int()>("nvmlInit_v2");
  int (*shutdown_)() = library_.find<int()>("nvmlShutdown");
  int (*driver_version_)(char*, unsigned) = library_.find<int(char*, unsigned)>("nvmlSystemGetDriverVersion");
  int (*device_by_bus_id_)(const char*,
                           Device*) = library_.find<int(const char*, Device*)>("nvmlDeviceGetHandleByPciBusId_v2");
  int (*clock_)(Device, int, unsigned*) = library_.find<int(Device, int, unsigned*)>("nvmlDeviceGetClockInfo");
  int (*fields_)(Device, int, FieldValue*) = library_.find<int(Device, int, FieldValue*)>("nvmlDeviceGetFieldValues");
  int (*power_)(Device, unsigned*) = library_.find<int(Device, unsigned*)>("nvmlDeviceGetPowerUsage");
  int (*temperature_)(Device, int, unsigned*) = library_.find<int(Device, int, unsigned*)>("nvmlDeviceGetTemperature");
  ReadReasons* reasons_ = find_reasons();
  Device device_ = nullptr;
  bool initialised_ = false;
};

}  // namespace

std::unique_ptr<Nvml> open_nvml(const std::string& pci_bus_id) {
  auto nvml = std::make_unique<LoadedNvml>();
  if (!nvml->open(pci_bus_id)) return nullptr;
  return nvml;
}

}  // namespace flash_steps
