#include "harness/results/read.h"

#include <utility>

#include "harness/base/json.h"
#include "harness/results/touches.h"

namespace flash_steps {
namespace {

// Of schema 1, which has grown: what a field's absence means there would be a mistake in schema 2.
bool is_missing_of_old(const JsonNode& node, const char* key, bool is_old) { return is_old && !node.has(key); }

Meta read_meta(const JsonNode& node) {
  return {node["argv"].get_list<std::string>(),     node["git"].get_or_null<std::string>(),
          node["dirty"].get_or_null<bool>(),        node["date"].get<std::string>(),
          node["compiler"].get<std::string>(),      node["cuda"].get_or_null<std::string>(),
          node["driver"].get_or_null<std::string>()};
}

DeviceFacts read_device(const JsonNode& node, const Meta& meta, bool is_old) {
  DeviceFacts device;
  const std::string backend = node["backend"].get<std::string>();
  if (backend != "gpu" && backend != "emulator") node["backend"].fail("is \"" + backend + "\", not gpu or emulator");
  device.backend = backend == "gpu" ? Target::gpu : Target::emulator;
  device.name = node["name"].get<std::string>();
  device.compute_capability = node["compute_capability"].get_or_null<std::string>().value_or("");
  device.sm_count = node["sm_count"].get<int>();
  device.l2_bytes = node["l2_bytes"].get<int64_t>();
  device.memory_bytes = node["memory_bytes"].get<int64_t>();
  device.smem_bytes_per_cta = node["smem_bytes_per_cta"].get<int>();
  device.sm_clock_max_mhz = node["clocks"]["sm_max_mhz"].get<double>();
  device.memory_clock_max_mhz = node["clocks"]["memory_max_mhz"].get<double>();
  device.driver = meta.driver.value_or("");
  if (!is_missing_of_old(node, "mma_ceiling_tflops", is_old)) {
    const JsonNode ceiling = node["mma_ceiling_tflops"];
    device.mma_ceiling_tflops = ceiling.get_or_null<double>();
    if (device.mma_ceiling_tflops && !(*device.mma_ceiling_tflops > 0)) ceiling.fail("is not above 0");
  }
  return device;
}

// What counts things cannot be 0 or less.
void check_sizes(const JsonNode& node, const Problem& problem) {
  const std::pair<const char*, int> sizes[] = {
      {"batch", problem.batch}, {"heads", problem.heads}, {"seqlen", problem.seqlen}, {"head_dim", problem.head_dim}};
  for (const auto& [name, size] : sizes) {
    if (size < 1) node[name].fail("is " + std::to_string(size) + ", and 1 would be the least");
  }
}

Problem read_problem(const JsonNode& node, bool is_old) {
  Problem problem;
  problem.batch = node["batch"].get<int>();
  problem.heads = node["heads"].get<int>();
  problem.seqlen = node["seqlen"].get<int>();
  problem.head_dim = node["head_dim"].get<int>();
  problem.dtype = node["dtype"].get_name(all_dtypes);
  problem.inputs = node["inputs"].get_name(all_distributions);
  problem.seed = node["seed"].get<uint64_t>();
  if (!is_old) {
    const int keys = node["seqlen_kv"].get<int>();
    const int key_heads = node["kv_heads"].get<int>();
    problem.seqlen_kv = keys == problem.seqlen ? 0 : keys;
    problem.kv_heads = key_heads == problem.heads ? 0 : key_heads;
    problem.mask = node["mask"].get_name(all_masks);
    problem.dropout = node["dropout"].get<double>();
    if (node.has("padding")) problem.padding = node["padding"].get<int>();
    problem.pass = node["pass"].get_name(all_passes);
  }
  check_sizes(node, problem);
  if (problem.padding < 0 || problem.padding > problem.most_padding()) {
    node["padding"].fail("is " + std::to_string(problem.padding) + ", and at most seqlen would work");
  }
  return problem;
}

void check_conflicts(const JsonNode& node, uint64_t wavefronts, uint64_t ideal_wavefronts) {
  if (node["bank_conflicts"].get<uint64_t>() != wavefronts - ideal_wavefronts) {
    node["bank_conflicts"].fail("is not wavefronts - ideal_wavefronts");
  }
}

AccessCounters read_access(const JsonNode& node, Touches touches) {
  AccessCounters access;
  access.instructions = node["instructions"].get<uint64_t>();
  if (touches != Touches::global) {
    access.wavefronts = node["wavefronts"].get<uint64_t>();
    access.ideal_wavefronts = node["ideal_wavefronts"].get<uint64_t>();
    check_conflicts(node, access.wavefronts, access.ideal_wavefronts);
  }
  if (touches != Touches::shared) access.sectors = node["sectors"].get<uint64_t>();
  if (node.has("tags")) access.tags = node["tags"].get<uint64_t>();  // of loads through L1
  return access;
}

Counters read_counters(const JsonNode& node) {
  Counters counters;
  counters.ldmatrix = read_access(node["ldmatrix"], Touches::shared);
  counters.cp_async = read_access(node["cp_async"], Touches::both);
  counters.shared_load = read_access(node["shared_load"], Touches::shared);
  counters.shared_store = read_access(node["shared_store"], Touches::shared);
  counters.global_load = read_access(node["global_load"], Touches::global);
  counters.global_store = read_access(node["global_store"], Touches::global);
  counters.mma_instructions = node["mma"]["instructions"].get<uint64_t>();
  counters.shuffle_instructions = node["shuffle"]["instructions"].get<uint64_t>();
  counters.barrier_instructions = node["barrier"]["instructions"].get<uint64_t>();
  for (const RareCounter& rare : rare_counters) {
    if (node.has(rare.name)) counters.*rare.count = node[rare.name].get<uint64_t>();
  }
  counters.hbm_bytes_read = node["hbm_bytes_read"].get<uint64_t>();
  counters.hbm_bytes_written = node["hbm_bytes_written"].get<uint64_t>();
  return counters;
}

void check_sum(const JsonNode& node, const Run& run) {
  Counters sum;
  for (const LaunchCounters& launch : run.launches) sum += launch.counters;
  if (!run.counters || *run.counters != sum) node.fail("does not add up to counters");
}

LineCounters read_line(const JsonNode& node) {
  LineCounters line = {node["file"].get<std::string>(),    node["line"].get<int>(),
                       node["word"].get<std::string>(),    node["instructions"].get<uint64_t>(),
                       node["wavefronts"].get<uint64_t>(), node["ideal_wavefronts"].get<uint64_t>(),
                       node["sectors"].get<uint64_t>()};
  check_conflicts(node, line.wavefronts, line.ideal_wavefronts);
  return line;
}

TimingSummary read_timing(const JsonNode& node, bool is_old) {
  const std::vector<double> samples_ms = node["samples_ms"].get_list<double>();
  if (samples_ms.empty()) node["samples_ms"].fail("is an empty list");  // of which there is no median
  return {samples_ms,
          node["median_ms"].get<double>(),
          node["p20_ms"].get<double>(),
          node["p80_ms"].get<double>(),
          node["min_ms"].get<double>(),
          node["tflops"].get<double>(),
          {node["sm_clock_mhz"].get<double>(), is_old ? 0 : node["power_watts"].get<double>(),
           is_old ? 0 : node["temperature_celsius"].get<double>(), node["throttled"].get<bool>()},
          node["full_budget"].get<bool>()};
}

Validation read_validation(const JsonNode& node, bool is_old) {
  Validation validation;
  if (is_old) {
    validation.verdict = node["passed"].get<bool>() ? Verdict::right : Verdict::wrong;
  } else {
    validation.verdict = node["verdict"].get_name(all_verdicts);
    validation.hazards = node["hazards"].get_list<std::string>();
  }
  validation.max_abs_error = node["max_abs_error"].get<double>();
  validation.rms_error = node["rms_error"].get<double>();
  validation.tolerance = node["tolerance"].get<double>();
  validation.reference = node["reference"].get<std::string>();
  if (node.has("tensors")) {
    for (const std::string& name : node["tensors"].keys()) {
      const JsonNode errors = node["tensors"][name.c_str()];
      validation.tensors[errors.name_among(name, all_outputs)] = {
          errors["max_abs_error"].get<double>(), errors["rms_error"].get<double>(), errors["tolerance"].get<double>(),
          !errors.has("right") || errors["right"].get<bool>()};
    }
  }
  return validation;
}

// Of a run. Files from before it was recorded have none.
std::optional<MemoryUse> read_memory(const JsonNode& run, bool is_old) {
  if (is_missing_of_old(run, "memory", is_old) || run["memory"].is_null()) return std::nullopt;
  const JsonNode node = run["memory"];
  const MemoryUse memory = {node["tensor_bytes"].get_size(), node["workspace_bytes"].get_size()};
  if (node["peak_bytes"].get_size() - memory.tensor_bytes != memory.workspace_bytes) {
    node["peak_bytes"].fail("is not tensor_bytes + workspace_bytes");
  }
  return memory;
}

std::map<Baseline, Comparison> read_comparisons(const JsonNode& node) {
  std::map<Baseline, Comparison> comparisons;
  if (node.is_null()) return comparisons;
  for (const std::string& name : node.keys()) {
    const JsonNode comparison = node[name.c_str()];
    comparisons[comparison.name_among(name, all_baselines)] = {
        comparison["median_ms"].get<double>(), comparison["tflops"].get<double>(), comparison["percent"].get<double>(),
        comparison["paired_percent"].get_or_null<double>(), comparison["stored_in"].get_or_null<std::string>()};
  }
  return comparisons;
}

BaselineRun read_baseline(const JsonNode& node, bool is_old) {
  BaselineRun run;
  run.baseline = node["baseline"].get_name(all_baselines);
  run.problem = read_problem(node["problem"], is_old);
  run.unavailable = node["unavailable"].get_or_null<std::string>();
  // The old ones say it in the sentence alone.
  const bool says_so = run.unavailable && run.unavailable->starts_with("out of memory");
  run.out_of_memory = is_old ? says_so : node["out_of_memory"].get<bool>();
  const JsonNode implementation = node["implementation"];
  const JsonNode validation = node["validation"];
  if (!run.unavailable) {
    run.implementation = implementation.get<std::string>();
    run.memory = read_memory(node, is_old);
    run.validation = read_validation(validation, is_old);
  }
  if (!node["timing"].is_null()) run.timing = read_timing(node["timing"], is_old);
  return run;
}

Run read_run(const JsonNode& node, bool is_old) {
  Run run;
  run.kernel = node["kernel"].get<std::string>();
  run.config = node["config"].get<std::string>();
  run.problem = read_problem(node["problem"], is_old);
  if (!is_old) run.code = node["code"].get_or_null<std::string>().value_or("");
  const JsonNode resources = node["resources"];
  run.resources = {resources["registers"].get<int>(), resources["smem_bytes"].get<int>(),
                   resources["spill_bytes"].get<int>(), resources["ctas_per_sm"].get<int>()};
  run.memory = read_memory(node, is_old);
  run.validation = read_validation(node["validation"], is_old);
  if (!node["timing"].is_null()) run.timing = read_timing(node["timing"], is_old);
  run.baselines = read_comparisons(node["baselines"]);
  if (!node["counters"].is_null()) run.counters = read_counters(node["counters"]);
  if (node.has("determinism")) {
    const JsonNode determinism = node["determinism"];
    run.determinism = {determinism["repeats"].get<int>(), determinism["bit_equal"].get<bool>()};
  }
  if (node.has("launches")) {
    for (const JsonNode& launch : node["launches"].elements()) {
      run.launches.push_back({launch["function"].get<std::string>(), read_counters(launch["counters"])});
    }
    check_sum(node["launches"], run);
  }
  if (node.has("lines")) {
    for (const JsonNode& line : node["lines"].elements()) run.lines.push_back(read_line(line));
  }
  return run;
}

}  // namespace

Results read_results(const std::filesystem::path& file) {
  const JsonFile json(file, {"flash-steps/results/2", "flash-steps/results/1"});
  const JsonNode root = json.root();
  const bool is_old = json.schema() == 1;
  Results results;
  results.meta = read_meta(root["meta"]);
  results.device = read_device(root["device"], results.meta, is_old);
  for (const JsonNode& run : root["runs"].elements()) results.runs.push_back(read_run(run, is_old));
  for (const JsonNode& run : root["baselines"].elements()) results.baselines.push_back(read_baseline(run, is_old));
  return results;
}

}  // namespace flash_steps
