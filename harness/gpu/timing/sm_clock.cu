#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/timing/sm_clock.h"

namespace flash_steps {
namespace {

__global__ void note_counters(SmClock::Reading* reading) {
  asm volatile("mov.u32 %0, %%smid;" : "=r"(reading->sm));
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(reading->nanoseconds)::"memory");
  reading->cycles = clock64();
}

}  // namespace

SmClock::SmClock(int points) {
  check_cuda(cudaHostAlloc(&readings_, points * sizeof(Reading), cudaHostAllocDefault),
             "allocating memory that the GPU can write to");
}

// An error here is one of an earlier kernel, which is reported where that kernel is waited for.
SmClock::~SmClock() { cudaFreeHost(readings_); }

void SmClock::note(int point, CUstream_st* stream) {
  note_counters<<<1, 1, 0, stream>>>(readings_ + point);
  check_launch("the reading of an SM's clock");
}

std::optional<double> SmClock::mhz_between(int first, int second) const {
  const Reading& a = readings_[first];
  const Reading& b = readings_[second];
  if (a.sm != b.sm || b.nanoseconds <= a.nanoseconds || b.cycles <= a.cycles) return std::nullopt;
  return 1000.0 * static_cast<double>(b.cycles - a.cycles) / static_cast<double>(b.nanoseconds - a.nanoseconds);
}

}  // namespace flash_steps
