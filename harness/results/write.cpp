#include "harness/results/write.h"

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/results/touches.h"

namespace flash_steps {
namespace {

constexpr const char* schema = "flash-steps/results/2";

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json meta_json(const Meta& meta) {
  return {
      {"argv", meta.argv},         {"git", or_null(meta.git)},   {"dirty", or_null(meta.dirty)},  {"date", meta.date},
      {"compiler", meta.compiler}, {"cuda", or_null(meta.cuda)}, {"driver", or_null(meta.driver)}};
}

Json device_json(const DeviceFacts& device) {
  return {{"backend", device.backend == Target::gpu ? "gpu" : "emulator"},
          {"name", device.name},
          {"compute_capability", device.compute_capability.empty() ? Json(nullptr) : Json(device.compute_capability)},
          {"sm_count", device.sm_count},
          {"l2_bytes", device.l2_bytes},
          {"memory_bytes", device.memory_bytes},
          {"smem_bytes_per_cta", device.smem_bytes_per_cta},
          {"mma_ceiling_tflops", or_null(device.mma_ceiling_tflops)},
          {"clocks", {{"sm_max_mhz", device.sm_clock_max_mhz}, {"memory_max_mhz", device.memory_clock_max_mhz}}}};
}

Json problem_json(const Problem& problem) {
  Json json = {{"batch", problem.batch},        {"heads", problem.heads},          {"seqlen", problem.seqlen},
               {"head_dim", problem.head_dim},  {"dtype", name_of(problem.dtype)}, {"inputs", name_of(problem.inputs)},
               {"seed", problem.seed},          {"seqlen_kv", problem.keys()},     {"kv_heads", problem.key_heads()},
               {"mask", name_of(problem.mask)}, {"dropout", problem.dropout},      {"pass", name_of(problem.pass)}};
  if (problem.padding != 0) json["padding"] = problem.padding;
  return json;
}

Json access_json(const AccessCounters& access, Touches touches) {
  Json json = {{"instructions", access.instructions}};
  if (touches != Touches::global) {
    json["wavefronts"] = access.wavefronts;
    json["ideal_wavefronts"] = access.ideal_wavefronts;
    json["bank_conflicts"] = access.bank_conflicts();
  }
  if (touches != Touches::shared) json["sectors"] = access.sectors;
  if (access.tags > 0) json["tags"] = access.tags;
  return json;
}

Json counters_json(const Counters& counters) {
  Json json = {{"ldmatrix", access_json(counters.ldmatrix, Touches::shared)},
               {"cp_async", access_json(counters.cp_async, Touches::both)},
               {"shared_load", access_json(counters.shared_load, Touches::shared)},
               {"shared_store", access_json(counters.shared_store, Touches::shared)},
               {"global_load", access_json(counters.global_load, Touches::global)},
               {"global_store", access_json(counters.global_store, Touches::global)},
               {"mma", {{"instructions", counters.mma_instructions}}},
               {"shuffle", {{"instructions", counters.shuffle_instructions}}},
               {"barrier", {{"instructions", counters.barrier_instructions}}},
               {"hbm_bytes_read", counters.hbm_bytes_read},
               {"hbm_bytes_written", counters.hbm_bytes_written}};
  for (const RareCounter& rare : rare_counters) {
    if (counters.*rare.count > 0) json[rare.name] = counters.*rare.count;
  }
  return json;
}

Json line_json(const LineCounters& line) {
  return {{"file", std::filesystem::path(line.file).filename().string()},
          {"line", line.line},
          {"word", line.word},
          {"instructions", line.instructions},
          {"wavefronts", line.wavefronts},
          {"ideal_wavefronts", line.ideal_wavefronts},
          {"bank_conflicts", line.wavefronts - line.ideal_wavefronts},
          {"sectors", line.sectors}};
}

Json timing_json(const TimingSummary& timing) {
  return {{"samples_ms", timing.samples_ms},
          {"median_ms", timing.median_ms},
          {"p20_ms", timing.p20_ms},
          {"p80_ms", timing.p80_ms},
          {"min_ms", timing.min_ms},
          {"tflops", timing.tflops},
          {"sm_clock_mhz", timing.state.sm_clock_mhz},
          {"power_watts", timing.state.power_watts},
          {"temperature_celsius", timing.state.temperature_celsius},
          {"throttled", timing.state.throttled},
          {"full_budget", timing.full_budget}};
}

Json validation_json(const Validation& validation) {
  Json json = {{"verdict", name_of(validation.verdict)}, {"max_abs_error", validation.max_abs_error},
               {"rms_error", validation.rms_error},      {"tolerance", validation.tolerance},
               {"reference", validation.reference},      {"hazards", validation.hazards}};
  for (const auto& [output, errors] : validation.tensors) {
    json["tensors"][name_of(output)] = {{"max_abs_error", errors.max_abs_error},
                                        {"rms_error", errors.rms_error},
                                        {"tolerance", errors.tolerance},
                                        {"right", errors.right}};
  }
  return json;
}

Json memory_json(const std::optional<MemoryUse>& memory) {
  if (!memory) return nullptr;
  return {{"peak_bytes", memory->peak_bytes()},
          {"tensor_bytes", memory->tensor_bytes},
          {"workspace_bytes", memory->workspace_bytes}};
}

Json comparisons_json(const std::map<Baseline, Comparison>& comparisons) {
  Json json;  // null if there are none
  for (const auto& [baseline, comparison] : comparisons) {
    json[name_of(baseline)] = {{"median_ms", comparison.median_ms},
                               {"tflops", comparison.tflops},
                               {"percent", comparison.percent},
                               {"paired_percent", or_null(comparison.paired_percent)},
                               {"stored_in", or_null(comparison.stored_in)}};
  }
  return json;
}

Json baseline_json(const BaselineRun& run) {
  const bool ran = !run.unavailable;
  return {{"baseline", name_of(run.baseline)},
          {"problem", problem_json(run.problem)},
          {"unavailable", or_null(run.unavailable)},
          {"out_of_memory", run.out_of_memory},
          {"implementation", ran ? Json(run.implementation) : Json(nullptr)},
          {"memory", memory_json(run.memory)},
          {"validation", ran ? validation_json(run.validation) : Json(nullptr)},
          {"timing", run.timing ? timing_json(*run.timing) : Json(nullptr)}};
}

Json run_json(const Run& run) {
  Json json = {{"kernel", run.kernel},
               {"config", run.config},
               {"problem", problem_json(run.problem)},
               {"code", run.code.empty() ? Json(nullptr) : Json(run.code)},
               {"resources",
                {{"registers", run.resources.registers},
                 {"smem_bytes", run.resources.smem_bytes},
                 {"spill_bytes", run.resources.spill_bytes},
                 {"ctas_per_sm", run.resources.ctas_per_sm}}},
               {"memory", memory_json(run.memory)},
               {"validation", validation_json(run.validation)},
               {"timing", run.timing ? timing_json(*run.timing) : Json(nullptr)},
               {"baselines", comparisons_json(run.baselines)},
               {"counters", run.counters ? counters_json(*run.counters) : Json(nullptr)}};
  if (run.determinism) {
    json["determinism"] = {{"repeats", run.determinism->repeats}, {"bit_equal", run.determinism->bit_equal}};
  }
  for (const LaunchCounters& launch : run.launches) {
    json["launches"].push_back({{"function", launch.function}, {"counters", counters_json(launch.counters)}});
  }
  if (!run.lines.empty()) {
    for (const LineCounters& line : run.lines) json["lines"].push_back(line_json(line));
  }
  return json;
}

}  // namespace

std::string to_json_text(const Meta& meta) { return text_of(meta_json(meta), -1); }

std::string json_head(const std::string& schema, const Meta& meta) {
  return "{\n  \"schema\": \"" + schema + "\",\n  \"meta\": " + to_json_text(meta) + ",\n";
}

std::string to_json_text(const Results& results) {
  Json json = {{"schema", schema},
               {"meta", meta_json(results.meta)},
               {"device", device_json(results.device)},
               {"runs", Json::array()},
               {"baselines", Json::array()}};
  for (const Run& run : results.runs) json["runs"].push_back(run_json(run));
  for (const BaselineRun& run : results.baselines) json["baselines"].push_back(baseline_json(run));
  return text_of(json, 2) + "\n";
}

void write_results(const Results& results, const std::filesystem::path& file) {
  write_file(to_json_text(results), file);
}

}  // namespace flash_steps
