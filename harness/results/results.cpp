#include "harness/results/results.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#ifdef FLASH_STEPS_CUDA
#include <cuda_runtime_api.h>
#endif

#include "harness/base/process.h"
#include "harness/base/statistics.h"

namespace flash_steps {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema = "flash-steps/results/1";

// --- Writing -----------------------------------------------------------------------------------------------------

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// Arguments and paths can hold any bytes: what is not UTF-8 is replaced.
std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
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
  return {{"batch", problem.batch},       {"heads", problem.heads},          {"seqlen", problem.seqlen},
          {"head_dim", problem.head_dim}, {"dtype", name_of(problem.dtype)}, {"inputs", name_of(problem.inputs)},
          {"seed", problem.seed}};
}

// Which of the counters a kind of access has.
enum class Touches { shared, global, both };

Json access_json(const AccessCounters& access, Touches touches) {
  Json json = {{"instructions", access.instructions}};
  if (touches != Touches::global) {
    json["wavefronts"] = access.wavefronts;
    json["ideal_wavefronts"] = access.ideal_wavefronts;
    json["bank_conflicts"] = access.bank_conflicts();
  }
  if (touches != Touches::shared) json["sectors"] = access.sectors;
  return json;
}

Json counters_json(const Counters& counters) {
  return {{"ldmatrix", access_json(counters.ldmatrix, Touches::shared)},
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
          {"sm_clock_mhz", timing.sm_clock_mhz},
          {"throttled", timing.throttled},
          {"full_budget", timing.full_budget}};
}

Json validation_json(const Validation& validation) {
  return {{"passed", validation.passed},
          {"max_abs_error", validation.max_abs_error},
          {"rms_error", validation.rms_error},
          {"tolerance", validation.tolerance},
          {"reference", validation.reference}};
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
          {"implementation", ran ? Json(run.implementation) : Json(nullptr)},
          {"memory", memory_json(run.memory)},
          {"validation", ran ? validation_json(run.validation) : Json(nullptr)},
          {"timing", run.timing ? timing_json(*run.timing) : Json(nullptr)}};
}

Json run_json(const Run& run) {
  Json json = {{"kernel", run.kernel},
               {"config", run.config},
               {"problem", problem_json(run.problem)},
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
  if (!run.lines.empty()) {
    for (const LineCounters& line : run.lines) json["lines"].push_back(line_json(line));
  }
  return json;
}

std::filesystem::path temporary_beside(const std::filesystem::path& file) {
  return file.string() + "." + std::to_string(getpid()) + ".tmp";
}

[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& reason) {
  throw std::runtime_error("cannot write " + file.string() + ": " + reason +
                           "; a file name in a folder that exists and is writable would work");
}

// `file` is what messages name; what is written is a temporary file beside it, which this returns.
std::filesystem::path write_beside(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path temporary = temporary_beside(file);
  std::ofstream stream(temporary, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    refuse_file(file, reason);
  }
  return temporary;
}

// --- Reading -----------------------------------------------------------------------------------------------------

// A value and the way to it, such as runs[0].timing.median_ms, for messages.
class Node {
 public:
  Node(const Json& json, std::string file, std::string path)
      : json_(json), file_(std::move(file)), path_(std::move(path)) {}

  Node operator[](const char* key) const {
    if (!json_.is_object()) fail("is not an object");
    const std::string path = path_.empty() ? key : path_ + "." + key;
    if (!json_.contains(key)) Node(json_, file_, path).fail("is missing");
    return {json_.at(key), file_, path};
  }

  bool has(const char* key) const { return json_.contains(key); }
  bool is_null() const { return json_.is_null(); }

  std::vector<std::string> keys() const {
    if (!json_.is_object()) fail("is not an object");
    std::vector<std::string> names;
    for (const auto& [name, value] : json_.items()) names.push_back(name);
    return names;
  }

  std::vector<Node> elements() const {
    if (!json_.is_array()) fail("is not a list");
    std::vector<Node> nodes;
    for (size_t i = 0; i < json_.size(); i++) {
      nodes.emplace_back(json_[i], file_, path_ + "[" + std::to_string(i) + "]");
    }
    return nodes;
  }

  template <typename T>
  T get() const {
    if constexpr (std::is_same_v<T, bool>) {
      if (!json_.is_boolean()) fail("is not true or false");
    } else if constexpr (std::is_unsigned_v<T>) {
      if (!json_.is_number_unsigned()) fail("is not a whole number of 0 or more");
    } else if constexpr (std::is_integral_v<T>) {
      if (!json_.is_number_integer()) fail("is not a whole number");
      const bool fits = json_.is_number_unsigned() ? json_.get<uint64_t>() <= uint64_t(std::numeric_limits<T>::max())
                                                   : json_.get<int64_t>() >= std::numeric_limits<T>::min();
      if (!fits) fail("is out of range");
    } else if constexpr (std::is_floating_point_v<T>) {
      // JSON has no NaN: it is written as null.
      if (json_.is_null()) return std::numeric_limits<T>::quiet_NaN();
      if (!json_.is_number()) fail("is not a number");
    } else {
      if (!json_.is_string()) fail("is not a text");
    }
    return json_.get<T>();
  }

  // Of something in bytes.
  int64_t get_size() const {
    const auto size = get<int64_t>();
    if (size < 0) fail("is negative");
    return size;
  }

  template <typename T>
  std::optional<T> get_or_null() const {
    return is_null() ? std::nullopt : std::optional<T>(get<T>());
  }

  template <typename T>
  std::vector<T> get_list() const {
    if (!json_.is_array()) fail("is not a list");
    std::vector<T> values;
    for (size_t i = 0; i < json_.size(); i++) {
      // A list of samples is long, and the path of each would take longer to write than the file to read.
      const bool is_plain_number = std::is_floating_point_v<T> && json_[i].is_number();
      values.push_back(is_plain_number
                           ? json_[i].get<T>()
                           : Node(json_[i], file_, path_ + "[" + std::to_string(i) + "]").template get<T>());
    }
    return values;
  }

  template <typename T, size_t count>
  T get_name(const T (&all)[count]) const {
    return name_among(get<std::string>(), all);
  }

  template <typename T, size_t count>
  T name_among(const std::string& name, const T (&all)[count]) const {
    for (T candidate : all) {
      if (name == name_of(candidate)) return candidate;
    }
    fail("is \"" + name + "\", which is not known");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(file_ + ": " + (path_.empty() ? "the file" : path_) + " " + what);
  }

 private:
  const Json& json_;
  std::string file_;
  std::string path_;
};

Meta read_meta(const Node& node) {
  return {node["argv"].get_list<std::string>(),     node["git"].get_or_null<std::string>(),
          node["dirty"].get_or_null<bool>(),        node["date"].get<std::string>(),
          node["compiler"].get<std::string>(),      node["cuda"].get_or_null<std::string>(),
          node["driver"].get_or_null<std::string>()};
}

DeviceFacts read_device(const Node& node, const Meta& meta) {
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
  if (node.has("mma_ceiling_tflops")) {  // files from before it was measured have none
    const Node ceiling = node["mma_ceiling_tflops"];
    device.mma_ceiling_tflops = ceiling.get_or_null<double>();
    if (device.mma_ceiling_tflops && !(*device.mma_ceiling_tflops > 0)) ceiling.fail("is not above 0");
  }
  return device;
}

Problem read_problem(const Node& node) {
  Problem problem;
  problem.batch = node["batch"].get<int>();
  problem.heads = node["heads"].get<int>();
  problem.seqlen = node["seqlen"].get<int>();
  problem.head_dim = node["head_dim"].get<int>();
  problem.dtype = node["dtype"].get_name(all_dtypes);
  problem.inputs = node["inputs"].get_name(all_distributions);
  problem.seed = node["seed"].get<uint64_t>();
  return problem;
}

void check_conflicts(const Node& node, uint64_t wavefronts, uint64_t ideal_wavefronts) {
  if (node["bank_conflicts"].get<uint64_t>() != wavefronts - ideal_wavefronts) {
    node["bank_conflicts"].fail("is not wavefronts - ideal_wavefronts");
  }
}

AccessCounters read_access(const Node& node, Touches touches) {
  AccessCounters access;
  access.instructions = node["instructions"].get<uint64_t>();
  if (touches != Touches::global) {
    access.wavefronts = node["wavefronts"].get<uint64_t>();
    access.ideal_wavefronts = node["ideal_wavefronts"].get<uint64_t>();
    check_conflicts(node, access.wavefronts, access.ideal_wavefronts);
  }
  if (touches != Touches::shared) access.sectors = node["sectors"].get<uint64_t>();
  return access;
}

Counters read_counters(const Node& node) {
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
  counters.hbm_bytes_read = node["hbm_bytes_read"].get<uint64_t>();
  counters.hbm_bytes_written = node["hbm_bytes_written"].get<uint64_t>();
  return counters;
}

LineCounters read_line(const Node& node) {
  const LineCounters line = {node["file"].get<std::string>(),    node["line"].get<int>(),
                             node["word"].get<std::string>(),    node["instructions"].get<uint64_t>(),
                             node["wavefronts"].get<uint64_t>(), node["ideal_wavefronts"].get<uint64_t>(),
                             node["sectors"].get<uint64_t>()};
  check_conflicts(node, line.wavefronts, line.ideal_wavefronts);
  return line;
}

TimingSummary read_timing(const Node& node) {
  const std::vector<double> samples_ms = node["samples_ms"].get_list<double>();
  if (samples_ms.empty()) node["samples_ms"].fail("is an empty list");  // of which there is no median
  return {samples_ms,
          node["median_ms"].get<double>(),
          node["p20_ms"].get<double>(),
          node["p80_ms"].get<double>(),
          node["min_ms"].get<double>(),
          node["tflops"].get<double>(),
          node["sm_clock_mhz"].get<double>(),
          node["throttled"].get<bool>(),
          node["full_budget"].get<bool>()};
}

Validation read_validation(const Node& node) {
  return {node["passed"].get<bool>(), node["max_abs_error"].get<double>(), node["rms_error"].get<double>(),
          node["tolerance"].get<double>(), node["reference"].get<std::string>()};
}

// Of a run. Files from before it was recorded have none.
std::optional<MemoryUse> read_memory(const Node& run) {
  if (!run.has("memory") || run["memory"].is_null()) return std::nullopt;
  const Node node = run["memory"];
  const MemoryUse memory = {node["tensor_bytes"].get_size(), node["workspace_bytes"].get_size()};
  if (node["peak_bytes"].get_size() - memory.tensor_bytes != memory.workspace_bytes) {
    node["peak_bytes"].fail("is not tensor_bytes + workspace_bytes");
  }
  return memory;
}

std::map<Baseline, Comparison> read_comparisons(const Node& node) {
  std::map<Baseline, Comparison> comparisons;
  if (node.is_null()) return comparisons;
  for (const std::string& name : node.keys()) {
    const Node comparison = node[name.c_str()];
    comparisons[comparison.name_among(name, all_baselines)] = {
        comparison["median_ms"].get<double>(), comparison["tflops"].get<double>(), comparison["percent"].get<double>(),
        comparison["paired_percent"].get_or_null<double>(), comparison["stored_in"].get_or_null<std::string>()};
  }
  return comparisons;
}

BaselineRun read_baseline(const Node& node) {
  BaselineRun run;
  run.baseline = node["baseline"].get_name(all_baselines);
  run.problem = read_problem(node["problem"]);
  run.unavailable = node["unavailable"].get_or_null<std::string>();
  const Node implementation = node["implementation"];
  const Node validation = node["validation"];
  if (!run.unavailable) {
    run.implementation = implementation.get<std::string>();
    run.memory = read_memory(node);
    run.validation = read_validation(validation);
  }
  if (!node["timing"].is_null()) run.timing = read_timing(node["timing"]);
  return run;
}

Run read_run(const Node& node) {
  Run run;
  run.kernel = node["kernel"].get<std::string>();
  run.config = node["config"].get<std::string>();
  run.problem = read_problem(node["problem"]);
  const Node resources = node["resources"];
  run.resources = {resources["registers"].get<int>(), resources["smem_bytes"].get<int>(),
                   resources["spill_bytes"].get<int>(), resources["ctas_per_sm"].get<int>()};
  run.memory = read_memory(node);
  run.validation = read_validation(node["validation"]);
  if (!node["timing"].is_null()) run.timing = read_timing(node["timing"]);
  run.baselines = read_comparisons(node["baselines"]);
  if (!node["counters"].is_null()) run.counters = read_counters(node["counters"]);
  if (node.has("determinism")) {
    const Node determinism = node["determinism"];
    run.determinism = {determinism["repeats"].get<int>(), determinism["bit_equal"].get<bool>()};
  }
  if (node.has("lines")) {
    for (const Node& line : node["lines"].elements()) run.lines.push_back(read_line(line));
  }
  return run;
}

Json parse(const std::string& text, const std::filesystem::path& file) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::string reason =
        error.byte > text.size() ? "it is cut short" : "see its byte " + std::to_string(error.byte);
    throw std::runtime_error(file.string() + ": the file is not JSON; " + reason);
  } catch (const Json::out_of_range&) {
    throw std::runtime_error(file.string() + ": the file has a number beyond 1.8e308, the largest that can be read");
  }
}

// --- Meta --------------------------------------------------------------------------------------------------------

std::optional<std::string> git(std::vector<std::string> arguments) {
  std::vector<std::string> argv = {"git", "-C", FLASH_STEPS_SOURCE_DIR};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto result = run_process(argv);
  if (!result || result->exit_code != 0) return std::nullopt;
  return result->output;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string compiler() {
#ifdef __clang__
  return __VERSION__;  // "Clang 14.0.6"
#else
  return "GCC " __VERSION__;
#endif
}

std::optional<std::string> cuda_version() {
#ifdef FLASH_STEPS_CUDA
  return std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10);
#else
  return std::nullopt;
#endif
}

}  // namespace

Meta make_meta(std::vector<std::string> argv, const DeviceFacts& device) {
  Meta meta;
  meta.argv = std::move(argv);
  meta.git = git({"rev-parse", "HEAD"});
  if (meta.git) {
    meta.git = meta.git->substr(0, meta.git->find('\n'));
    const auto changes = git({"status", "--porcelain", "--untracked-files=no"});
    if (changes) meta.dirty = !changes->empty();
  }
  meta.date = utc_now();
  meta.compiler = compiler();
  meta.cuda = cuda_version();
  if (!device.driver.empty()) meta.driver = device.driver;
  return meta;
}

TimingSummary summarize(const Timing& timing, const Problem& problem) {
  const Statistics statistics = statistics_of(timing.samples_ms);
  return {timing.samples_ms,   statistics.median, statistics.p20,
          statistics.p80,      statistics.min,    problem.flops() / (statistics.median * 1e-3) * 1e-12,
          timing.sm_clock_mhz, timing.throttled};
}

double paired_percent(const TimingSummary& other, const TimingSummary& kernel) {
  std::vector<double> percent_of_rounds;
  const size_t rounds = std::min(other.samples_ms.size(), kernel.samples_ms.size());
  for (size_t i = 0; i < rounds; i++) {
    percent_of_rounds.push_back(100 * other.samples_ms[i] / kernel.samples_ms[i]);
  }
  return statistics_of(percent_of_rounds).median;
}

Comparison compare_with(const TimingSummary& baseline, const TimingSummary& kernel) {
  return {baseline.median_ms, baseline.tflops, 100 * baseline.median_ms / kernel.median_ms,
          paired_percent(baseline, kernel), std::nullopt};
}

namespace {

// Of two configs of a kernel.
bool is_faster(const Run& run, const Run& other) {
  const auto mine = run.baselines.find(Baseline::fa2);
  const auto its = other.baselines.find(Baseline::fa2);
  if (mine != run.baselines.end() && its != other.baselines.end()) {
    return mine->second.shown_percent() > its->second.shown_percent();
  }
  return run.timing->median_ms < other.timing->median_ms;
}

}  // namespace

std::vector<const Run*> best_runs(const std::vector<Run>& runs) {
  std::vector<const Run*> best;
  for (const Run& run : runs) {
    if (!run.timing || !run.timing->full_budget) continue;
    const auto same = std::find_if(best.begin(), best.end(), [&](const Run* other) {
      return other->kernel == run.kernel && other->problem == run.problem;
    });
    if (same == best.end()) {
      best.push_back(&run);
    } else if (is_faster(run, **same)) {
      *same = &run;
    }
  }
  return best;
}

void check_writable(const std::filesystem::path& file) {
  std::error_code error;
  if (file.filename().empty() || std::filesystem::is_directory(file, error)) refuse_file(file, "it is a folder");
  std::filesystem::remove(write_beside(file, ""), error);
}

void write_file(const std::string& text, const std::filesystem::path& file) {
  const std::filesystem::path temporary = write_beside(file, text);
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  if (error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    refuse_file(file, error.message());
  }
}

std::string to_json_text(const Meta& meta) { return text_of(meta_json(meta), -1); }

void write_results(const Results& results, const std::filesystem::path& file) {
  Json json = {{"schema", schema},
               {"meta", meta_json(results.meta)},
               {"device", device_json(results.device)},
               {"runs", Json::array()},
               {"baselines", Json::array()}};
  for (const Run& run : results.runs) json["runs"].push_back(run_json(run));
  for (const BaselineRun& run : results.baselines) json["baselines"].push_back(baseline_json(run));
  write_file(text_of(json, 2) + "\n", file);
}

Results read_results(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string() + ": " + std::strerror(errno));
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const Json json = parse(text, file);
  const Node root{json, file.string(), ""};
  if (const std::string found = root["schema"].get<std::string>(); found != schema) {
    root["schema"].fail("is \"" + found + "\"; this build reads \"" + schema + "\"");
  }
  Results results;
  results.meta = read_meta(root["meta"]);
  results.device = read_device(root["device"], results.meta);
  for (const Node& run : root["runs"].elements()) results.runs.push_back(read_run(run));
  for (const Node& run : root["baselines"].elements()) results.baselines.push_back(read_baseline(run));
  return results;
}

}  // namespace flash_steps
