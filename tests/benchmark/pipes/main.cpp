// gpu_pipes: measures on a GPU what the predictor assumes of its pipes: docs/method/prediction.md.
// scripts/measure_pipes.sh builds and runs it.
#include <iostream>
#include <nlohmann/json.hpp>

#include "benchmark/gpu_program.h"
#include "benchmark/pipes/probes.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/gpu/device.h"
#include "harness/results/meta.h"
#include "harness/results/write.h"

namespace flash_steps::pipes {
namespace {

constexpr const char* schema = "flash-steps/pipes/1";

struct Measured {
  DeviceFacts device;
  std::vector<PairRow> pairs;
  std::vector<LatencyRow> latencies;
  L2Row l2;
};

void print(const Measured& measured) {
  std::cout << measured.device.name << "\nCycles of a sub-core for an instruction\n";
  for (const PairRow& row : measured.pairs) {
    const std::string second = row.second.empty() ? "" : " beside " + row.second + " " + fixed(row.second_cycles, 2);
    std::cout << "  " << pad_right(row.first, 20) << row.first_warps << " warps  " << fixed(row.first_cycles, 2)
              << second << "\n";
  }
  std::cout << "Cycles until the next can follow\n";
  for (const LatencyRow& row : measured.latencies) {
    std::cout << "  " << pad_right(row.what, 40) << fixed(row.cycles, 1) << "\n";
  }
  std::cout << "From L2, bytes a cycle and SM: " << fixed(measured.l2.bytes_per_cycle, 1) << "\n";
}

Json pair_json(const PairRow& row) {
  return {{"first", row.first},
          {"second", row.second},
          {"first_warps", row.first_warps},
          {"second_warps", row.second_warps},
          {"first_cycles", row.first_cycles},
          {"second_cycles", row.second_cycles}};
}

Json latency_json(const LatencyRow& row) { return {{"what", row.what}, {"cycles", row.cycles}}; }

std::string json_text(const Measured& measured, const std::vector<std::string>& argv) {
  return json_head(schema, make_meta(argv, measured.device)) + "  \"device\": " + Json(measured.device.name).dump() +
         ",\n  \"pairs\": [\n" + json_lines(measured.pairs, pair_json) + "  ],\n  \"latencies\": [\n" +
         json_lines(measured.latencies, latency_json) +
         "  ],\n  \"l2_bytes_per_cycle\": " + Json(measured.l2.bytes_per_cycle).dump() + "\n}\n";
}

int measure(const std::string& json, const std::vector<std::string>& argv) {
  require_gpu();
  Measured measured{device_facts(nullptr), measure_pairs(), measure_latencies(), {}};
  measured.l2 = measure_l2(measured.device.sm_count);
  print(measured);
  if (!json.empty()) write_file(json_text(measured, argv), json);
  return 0;
}

}  // namespace
}  // namespace flash_steps::pipes

int main(int argc, char** argv) {
  return flash_steps::run_gpu_program("gpu_pipes", "Measures the pipes of a GPU's SM.", {argv, argv + argc},
                                      flash_steps::pipes::measure);
}
