// Latencies, of chains in which each instruction needs the result of the one before; and what L2 sends.
#include <algorithm>
#include <limits>

#include "benchmark/pipes/probes.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "kernels/isa.cuh"

namespace flash_steps::pipes {
namespace {

constexpr int links = 64;  // of a chain
constexpr int smem_bytes = 4 << 10;
constexpr int warps = 4;  // of the CTA in which barriers and copies are measured

enum class Chain { product, mufu, ldmatrix, shuffle, barrier, copy, far_copy };

// A chain's state: words of shared memory hold their own address, and those of global memory the next place.
struct State {
  float sums[4] = {};
  uint32_t a[4] = {}, b[2] = {};
  float x = 0;
  uint32_t address = 0;
  uint32_t loaded[4] = {};
  const char* from = nullptr;
};

template <Chain chain>
__device__ __forceinline__ void link(State& s) {
  if constexpr (chain == Chain::product) mma_m16n8k16<fp16_t>(s.sums, s.a, s.b[0], s.b[1], s.sums);
  if constexpr (chain == Chain::mufu) asm volatile("ex2.approx.ftz.f32 %0, %0;" : "+f"(s.x));
  if constexpr (chain == Chain::shuffle) s.x = shfl_xor(s.x, 1);
  if constexpr (chain == Chain::barrier) barrier();
  if constexpr (chain == Chain::ldmatrix) {
    ldmatrix_x4(s.loaded, s.address);
    s.address = s.loaded[0];
  }
  if constexpr (chain == Chain::copy || chain == Chain::far_copy) {
    cp_async_16(s.address, s.from);
    cp_async_commit();
    cp_async_wait<0>();
    if constexpr (chain == Chain::far_copy) s.from += links * 128;  // a line that nobody has read yet
  }
}

// cycles [1], sink [threads], memory [links · threads · 128 bytes and more]
template <Chain chain>
__global__ void follow(long long* cycles, float* sink, const char* memory) {
  const uint32_t base = shared_base();
  for (uint32_t i = threadIdx.x; i < smem_bytes / 4; i += blockDim.x) st_shared_4(base + i * 4, base);
  State s;
  s.address = chain == Chain::ldmatrix ? base : base + threadIdx.x * 16;
  s.from = memory + threadIdx.x * 16;
  s.x = 0.001f * static_cast<float>(threadIdx.x);  // of constants the compiler would compute the chain itself
  for (uint32_t& a : s.a) a = threadIdx.x;
  __syncthreads();
  for (int i = 0; i < 4; i++) link<chain>(s);  // loads the code
  const long long start = clock64();
#pragma unroll
  for (int i = 0; i < links; i++) link<chain>(s);
  float sum = s.x + static_cast<float>(s.address);
  for (const float one : s.sums) sum += one;
  sink[threadIdx.x] = sum;
  const long long took = clock64() - start;
  if (threadIdx.x == 0) *cycles = took;
}

template <Chain chain>
LatencyRow measure(const char* what, int threads, const DeviceArray<char>& memory) {
  DeviceArray<long long> cycles(1);
  DeviceArray<float> sink(threads);
  long long best = std::numeric_limits<long long>::max();
  for (int i = 0; i < 5; i++) {
    follow<chain><<<1, threads, smem_bytes>>>(cycles.data(), sink.data(), memory.data());
    check_launch("a measurement of latencies");
    wait_for_gpu("a measurement of latencies");
    best = std::min(best, cycles.to_host().front());
    if (chain == Chain::far_copy) break;  // afterwards L2 has it
  }
  return {what, static_cast<double>(best) / links};
}

// Each CTA copies the memory `passes` times, beginning at a place of its own. cycles [ctas]
__global__ void stream(long long* cycles, const char* memory, int64_t bytes, int passes) {
  const uint32_t to = shared_base() + threadIdx.x * 16;
  const int64_t step = int64_t{blockDim.x} * 16;
  int64_t at = blockIdx.x * (bytes / gridDim.x) / step * step;
  const long long start = clock64();
  for (int64_t i = 0; i < passes * (bytes / step); i++) {
    cp_async_16(to, memory + at + threadIdx.x * 16);
    cp_async_commit();
    cp_async_wait<8>();
    at += step;
    if (at >= bytes) at = 0;
  }
  cp_async_wait<0>();
  if (threadIdx.x == 0) cycles[blockIdx.x] = clock64() - start;
}

}  // namespace

std::vector<LatencyRow> measure_latencies() {
  DeviceArray<char> memory(int64_t{(links + 8) * links} * 128 + 65536);
  check_cuda(cudaMemset(memory.data(), 0, memory.bytes()), "clearing memory of the GPU");
  std::vector<LatencyRow> rows;
  rows.push_back(measure<Chain::product>("HMMA to HMMA that adds to its result", 32, memory));
  rows.push_back(measure<Chain::mufu>("MUFU.EX2", 32, memory));
  rows.push_back(measure<Chain::ldmatrix>("LDSM.x4, all rows the same", 32, memory));
  rows.push_back(measure<Chain::shuffle>("SHFL", 32, memory));
  rows.push_back(measure<Chain::barrier>("BAR of 4 warps", warps * 32, memory));
  rows.push_back(measure<Chain::copy>("LDGSTS from L2 and a wait", 32, memory));
  DeviceArray<char> flush(int64_t{96} << 20);  // more than L2 holds
  check_cuda(cudaMemset(flush.data(), 0, flush.bytes()), "clearing memory of the GPU");
  rows.push_back(measure<Chain::far_copy>("LDGSTS from DRAM and a wait", 32, memory));
  return rows;
}

L2Row measure_l2(int sm_count) {
  constexpr int64_t bytes = int64_t{8} << 20;  // that L2 holds
  constexpr int threads = 512, passes = 4;
  DeviceArray<char> memory(bytes);
  check_cuda(cudaMemset(memory.data(), 0, bytes), "clearing memory of the GPU");
  DeviceArray<long long> cycles(sm_count);
  double best = 0;
  for (int i = 0; i < 3; i++) {
    stream<<<sm_count, threads, threads * 16>>>(cycles.data(), memory.data(), bytes, passes);
    check_launch("a measurement of L2");
    wait_for_gpu("a measurement of L2");
    const std::vector<long long> took = cycles.to_host();
    best = std::max(
        best, static_cast<double>(bytes * passes) / static_cast<double>(*std::max_element(took.begin(), took.end())));
  }
  return {best};
}

}  // namespace flash_steps::pipes
