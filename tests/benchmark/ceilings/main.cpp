// gpu_ceilings: measures on a GPU what its tensor cores reach by each of their instructions: docs/method/measuring.md.
// scripts/measure_ceilings.sh builds and runs it.
#include <algorithm>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "benchmark/ceilings/wgmma.h"
#include "benchmark/gpu_program.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/gpu/device.h"
#include "harness/gpu/timing/ceiling.h"
#include "harness/results/meta.h"
#include "harness/results/write.h"

namespace flash_steps::ceilings {
namespace {

constexpr const char* schema = "flash-steps/ceilings/1";
constexpr int measurements = 20;  // of a tenth of a second: a card under its power limit slows down meanwhile

struct Ceiling {
  std::string instruction;
  std::string left_operand;
  double cycles = 0;       // of an SM for one instruction; 0 where they are not measured
  double tflops = 0;       // of the first measurement
  double held_tflops = 0;  // of the second half of them, the median
};

Ceiling measure(const std::string& instruction, const std::string& left_operand,
                const std::function<WgmmaCeiling()>& once) {
  std::vector<WgmmaCeiling> all;
  for (int i = 0; i < measurements; i++) all.push_back(once());
  std::vector<double> held;
  for (int i = measurements / 2; i < measurements; i++) held.push_back(all[i].tflops);
  std::nth_element(held.begin(), held.begin() + held.size() / 2, held.end());
  return {instruction, left_operand, all.back().cycles, all.front().tflops, held[held.size() / 2]};
}

std::vector<Ceiling> measure_all(const DeviceFacts& device) {
  std::vector<Ceiling> all = {measure("mma.m16n8k16", "registers",
                                      [&] { return WgmmaCeiling{.tflops = measure_mma_ceiling(device.sm_count)}; })};
  if (device.compute_capability != "9.0") return all;
  for (const auto& [left, name] :
       {std::pair(LeftOperand::shared_memory, "shared memory"), std::pair(LeftOperand::registers, "registers")}) {
    all.push_back(
        measure("wgmma.m64n128k16", name, [&, left = left] { return measure_wgmma_ceiling(left, device.sm_count); }));
  }
  return all;
}

void print(const DeviceFacts& device, const std::vector<Ceiling>& all) {
  std::cout << device.name << "\n";
  for (const Ceiling& each : all) {
    std::cout << "  " << pad_right(each.instruction + ", A in " + each.left_operand, 40) << fixed(each.tflops, 1)
              << " TFLOP/s, held " << fixed(each.held_tflops, 1);
    if (each.cycles > 0) std::cout << ", " << fixed(each.cycles, 2) << " cycles";
    std::cout << "\n";
  }
}

Json ceiling_json(const Ceiling& each) {
  return {{"instruction", each.instruction},
          {"left_operand", each.left_operand},
          {"cycles", each.cycles > 0 ? Json(each.cycles) : Json()},
          {"tflops", each.tflops},
          {"held_tflops", each.held_tflops}};
}

int measure_and_write(const std::string& json, const std::vector<std::string>& argv) {
  require_gpu();
  const DeviceFacts device = device_facts(nullptr);
  const std::vector<Ceiling> all = measure_all(device);
  print(device, all);
  if (json.empty()) return 0;
  write_file(json_head(schema, make_meta(argv, device)) + "  \"device\": " + Json(device.name).dump() +
                 ",\n  \"ceilings\": [\n" + json_lines(all, ceiling_json) + "  ]\n}\n",
             json);
  return 0;
}

}  // namespace
}  // namespace flash_steps::ceilings

int main(int argc, char** argv) {
  return flash_steps::run_gpu_program("gpu_ceilings", "Measures what a GPU's tensor cores reach.", {argv, argv + argc},
                                      flash_steps::ceilings::measure_and_write);
}
