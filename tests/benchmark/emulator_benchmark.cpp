// How fast the emulator is: each word of the vocabulary alone, and each step at seqlen 512, on one host thread. A
// lane-word is one lane carrying out one word; a warp that carries one out makes 32. And how long the runner takes to
// answer commands that run no kernel: nobody waits a fifth of a second for a list.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>

#include "harness/contract/registry.h"
#include "harness/emulator/emulator.h"
#include "harness/machine/machine.h"
#include "kernels/isa.cuh"

namespace flash_steps {
namespace {

constexpr int warp_lanes = 32;

double lane_words(const std::vector<LineCounters>& lines) {
  const auto add = [](double sum, const LineCounters& line) { return sum + double(line.instructions) * warp_lanes; };
  return std::accumulate(lines.begin(), lines.end(), 0.0, add);
}

void report_lane_words(benchmark::State& state, double of_an_iteration) {
  state.counters["lane_words"] = of_an_iteration;
  state.counters["lane_words_per_second"] =
      benchmark::Counter(of_an_iteration, benchmark::Counter::kIsIterationInvariantRate);
}

// The first config that covers one head, in fp16.
const Variant& variant_of(const Kernel& kernel) {
  for (const Variant& variant : kernel.emulator()) {
    if (variant.dtype == Dtype::fp16 && variant.tile.heads <= 1) return variant;
  }
  throw std::logic_error(kernel.name + " has no config for one head");
}

void run_step(benchmark::State& state, const Kernel& kernel) {
  const Variant& variant = variant_of(kernel);
  const std::unique_ptr<Machine> emulator = make_emulator(1);
  emulator->load(
      {.batch = 1, .heads = 1, .seqlen = 512, .dtype = variant.dtype, .pass = variant.coverage.passes.front()}, false);
  for (auto _ : state) emulator->launch(variant);
  report_lane_words(state, lane_words(emulator->observer()->observation().lines));
}

// --- The words ---------------------------------------------------------------------------------------------------

constexpr int threads = 128;
constexpr int bytes_of_a_lane = 16;
constexpr int repeats = 1024;  // so many that the launch itself costs little beside them

// What a lane has of its own: 16 bytes of shared and 16 of global memory.
struct Place {
  uint32_t smem;
  std::byte* gmem;
};

struct WordBenchmark {
  const char* name;
  void (*repeated)(const Place& place);
};

template <typename Body>
void repeat(const Body& body) {
  for (int i = 0; i < repeats; i++) body();
}

template <typename T>
void repeat_mma() {
  float d[4] = {};
  const uint32_t a[4] = {};
  repeat([&] { mma_m16n8k16<T>(d, a, 0, 0, d); });
}

// Without hazards, for a report costs what a word does not: bytes that are read were written before.
constexpr WordBenchmark words[] = {
    {"cp_async_16_commit_and_wait",
     [](const Place& place) {
       repeat([&] {
         cp_async_16(place.smem, place.gmem);
         cp_async_commit();
         cp_async_wait<0>();
       });
     }},
    {"ldmatrix_x4",
     [](const Place& place) {
       for (uint32_t i = 0; i < 4; i++) st_shared_4(place.smem + 4 * i, 0);
       uint32_t regs[4];
       warp_barrier();
       repeat([&] { ldmatrix_x4(regs, place.smem); });
     }},
    {"ld_shared_16",
     [](const Place& place) {
       for (uint32_t i = 0; i < 4; i++) st_shared_4(place.smem + 4 * i, 0);
       repeat([&] { ld_shared_16(place.smem); });
     }},
    {"st_shared_4", [](const Place& place) { repeat([&] { st_shared_4(place.smem, 0); }); }},
    {"ld_global_16", [](const Place& place) { repeat([&] { ld_global_16(place.gmem); }); }},
    {"st_global_16", [](const Place& place) { repeat([&] { st_global_16(place.gmem, {}); }); }},
    {"mma_m16n8k16_fp16", [](const Place&) { repeat_mma<fp16_t>(); }},
    {"mma_m16n8k16_bf16", [](const Place&) { repeat_mma<bf16_t>(); }},
    {"shfl_xor", [](const Place&) { repeat([] { shfl_xor(0, 1); }); }},
    {"barrier", [](const Place&) { repeat([] { barrier(); }); }},
};

// One CTA of four warps, each lane of which repeats the word.
void run_word(benchmark::State& state, const WordBenchmark& word) {
  constexpr int bytes = threads * bytes_of_a_lane;
  alignas(256) static std::byte data[bytes];
  emulator::LaunchReport report;
  for (auto _ : state) {
    report = emulator::launch({.threads = threads, .smem_bytes = bytes, .buffers = {{"data", data, bytes, true}}}, [&] {
      const uint32_t offset = threadIdx.x * bytes_of_a_lane;
      word.repeated({shared_base() + offset, data + offset});
    });
  }
  if (!report.hazards.empty()) state.SkipWithError(to_string(report.hazards.front()).c_str());
  report_lane_words(state, lane_words(report.lines));
}

// --- The runner's commands ---------------------------------------------------------------------------------------

constexpr const char* commands[] = {"--list", "--table", "--table --bounds", "--kernel=nonsense"};

// CPU time of the children of this process, which other programs on the machine hardly change.
double seconds_of_children() {
  rusage usage{};
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0) throw std::runtime_error("the times of child processes are not known");
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void run_command(benchmark::State& state, const char* arguments) {
  const std::string command = std::string("'" FLASH_STEPS_RUNNER "' ") + arguments + " >/dev/null 2>&1";
  for (auto _ : state) {
    const double start = seconds_of_children();
    if (std::system(command.c_str()) == -1) state.SkipWithError("no process can be started");
    state.SetIterationTime(seconds_of_children() - start);
  }
}

}  // namespace
}  // namespace flash_steps

int main(int argc, char** argv) {
  using namespace flash_steps;
  for (const WordBenchmark& word : words) {
    benchmark::RegisterBenchmark(("word/" + std::string(word.name)).c_str(), run_word, word);
  }
  for (const Kernel& kernel : kernels()) {
    benchmark::RegisterBenchmark(("seqlen_512/" + kernel.name).c_str(), run_step, kernel)
        ->Unit(benchmark::kMillisecond);
  }
  for (const char* command : commands) {
    benchmark::RegisterBenchmark((std::string("runner/") + command).c_str(), run_command, command)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
