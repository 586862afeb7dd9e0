// Issue intervals: how many cycles of a sub-core an instruction takes, alone and beside another kind.
//
// ptxas decides on registers and on .reuse. "kept" products multiply one A by several B's in turn, so that ptxas may
// keep A beside the pipe; of "fresh" ones each has an A of its own. Of ffma the two factors are the same for all,
// of ffma_three all three operands change. Which registers and flags came of it is in the machine code, which
// scripts/measure_pipes.sh puts beside the program.
#include <algorithm>

#include "benchmark/pipes/probes.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "kernels/isa.cuh"

namespace flash_steps::pipes {
namespace {

constexpr int sub_cores = 4;
constexpr int most_warps = 4;  // of a kind and a sub-core
constexpr int rounds = 512;
constexpr int unrolled = 8;          // times the eight instructions below, in a round
constexpr int instructions = 8;      // independent of each other
constexpr int smem_bytes = 1 << 10;  // that the rows of ldmatrix reach over

enum class Work {
  nothing,
  hmma_kept,
  hmma_fresh,
  ffma,
  ffma_three,
  fmnmx,
  lop3,
  iadd,
  imad,
  mufu,
  ldmatrix,
  ldmatrix_conflicts,
  shuffle
};

struct Registers {
  float sums[8][4];
  uint32_t a[8][4];
  uint32_t b[4][2];
  float x[8], y[8], z[8];
  uint32_t n[8];
};

// Where a lane's row of 16 bytes lies: eight rows beside each other meet all banks once, 128 bytes apart the same four.
__device__ uint32_t row_of(uint32_t smem, uint32_t lane, bool conflicts) {
  return smem + (conflicts ? lane % 8 * 128 + lane / 8 * 16 : lane * 16);
}

// What ldmatrix gives to a lane in its first register, word lane % 4 of row lane / 4, becomes the lane's row.
__device__ void fill_smem(uint32_t smem, bool conflicts) {
  const uint32_t lane = threadIdx.x;
  if (lane < 32) st_shared_4(row_of(smem, lane / 4, conflicts) + lane % 4 * 4, row_of(smem, lane, conflicts));
}

__device__ void fill(Registers& r, uint32_t smem, bool conflicts) {
  const uint32_t lane = threadIdx.x % 32;
  for (int i = 0; i < 8; i++) {
    for (int k = 0; k < 4; k++) {
      r.sums[i][k] = static_cast<float>(i);
      r.a[i][k] = 0x3c003800u + lane + i + k;
    }
    r.x[i] = 1 + 0.001f * static_cast<float>(lane + i);
    r.y[i] = 0.5f + 0.001f * static_cast<float>(i);
    r.z[i] = 0.25f * static_cast<float>(i);
    r.n[i] = row_of(smem, lane, conflicts);
  }
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < 2; k++) r.b[i][k] = 0x34003400u + lane + i + k;
  }
}

// The words at an address are addresses again, so that no load can be left out.
__device__ __forceinline__ void load(uint32_t& address) {
  uint32_t loaded[4];
  ldmatrix_x4(loaded, address);
  address = loaded[0];
}

template <Work work>
__device__ __forceinline__ void eight(Registers& r) {
#pragma unroll
  for (int i = 0; i < instructions; i++) {
    if constexpr (work == Work::hmma_kept)
      mma_m16n8k16<fp16_t>(r.sums[i], r.a[0], r.b[i % 4][0], r.b[i % 4][1], r.sums[i]);
    if constexpr (work == Work::hmma_fresh)
      mma_m16n8k16<fp16_t>(r.sums[i], r.a[i], r.b[i % 4][0], r.b[i % 4][1], r.sums[i]);
    if constexpr (work == Work::ffma)
      asm volatile("fma.rn.f32 %0, %0, %1, %2;" : "+f"(r.x[i]) : "f"(r.y[0]), "f"(r.z[0]));
    if constexpr (work == Work::ffma_three)
      asm volatile("fma.rn.f32 %0, %1, %2, %0;" : "+f"(r.x[i]) : "f"(r.y[i]), "f"(r.z[i]));
    if constexpr (work == Work::fmnmx) asm volatile("max.f32 %0, %0, %1;" : "+f"(r.x[i]) : "f"(r.y[i]));
    if constexpr (work == Work::lop3)
      asm volatile("lop3.b32 %0, %0, %1, %2, 0x96;" : "+r"(r.n[i]) : "r"(r.b[i % 4][0]), "r"(r.a[0][i % 4]));
    if constexpr (work == Work::iadd)
      asm volatile("{ .reg .s32 t; add.s32 t, %0, %1; add.s32 %0, t, %2; }"
                   : "+r"(r.n[i])
                   : "r"(r.b[i % 4][0]), "r"(r.a[0][i % 4]));
    if constexpr (work == Work::imad)
      asm volatile("mad.lo.s32 %0, %0, %1, %2;" : "+r"(r.n[i]) : "r"(r.b[i % 4][0]), "r"(r.a[0][i % 4]));
    if constexpr (work == Work::mufu) asm volatile("ex2.approx.ftz.f32 %0, %0;" : "+f"(r.x[i]));
    if constexpr (work == Work::ldmatrix || work == Work::ldmatrix_conflicts) load(r.n[i]);
    if constexpr (work == Work::shuffle) asm volatile("shfl.sync.bfly.b32 %0, %0, 1, 0x1f, 0xffffffff;" : "+f"(r.x[i]));
  }
}

// What nobody stores is not computed.
__device__ float sum_of(const Registers& r) {
  float sum = 0;
  for (int i = 0; i < 8; i++) {
    for (int k = 0; k < 4; k++) sum += r.sums[i][k];
    sum += r.x[i] + static_cast<float>(r.n[i]);
  }
  return sum;
}

// Of a warp, on its SM's clock.
struct Took {
  long long start, end;
  int rounds;
};

template <Work work>
__device__ Took run_first(Registers& r) {
  const long long start = clock64();
  for (int i = 0; i < rounds; i++) {
#pragma unroll
    for (int k = 0; k < unrolled; k++) eight<work>(r);
  }
  return {start, clock64(), rounds};
}

// For as long as one of the first kind runs.
template <Work work>
__device__ Took run_second(Registers& r, volatile const int* running) {
  const long long start = clock64();
  int done = 0;
  while (*running > 0) {
#pragma unroll
    for (int k = 0; k < unrolled; k++) eight<work>(r);
    done++;
  }
  return {start, clock64(), done};
}

// took [warps], sink [threads]
template <Work first, Work second>
__global__ void pair(Took* took, float* sink, int first_warps) {
  __shared__ int running;
  // Told by a shuffle, all lanes of a warp are seen to take the same branch.
  const int warp = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x / 32), 0);
  fill_smem(shared_base(), first == Work::ldmatrix_conflicts);
  if (threadIdx.x == 0) running = first_warps;
  Registers r = {};
  fill(r, shared_base(), first == Work::ldmatrix_conflicts);
  __syncthreads();
  Took mine;
  if (warp < first_warps) {
    mine = run_first<first>(r);
    if (threadIdx.x % 32 == 0) atomicSub(&running, 1);
  } else {
    mine = run_second<second>(r, &running);
  }
  if (threadIdx.x % 32 == 0) took[warp] = mine;
  sink[threadIdx.x] = sum_of(r);
}

// Of some warps of each sub-core: a sub-core's cycles for one of their instructions. They do not end together: a
// scheduler that goes on with one warp as long as it can lets it end first.
double cycles_of(const std::vector<Took>& took, int begin, int end) {
  double executed = 0;
  long long first = took[begin].start, last = took[begin].end;
  for (int w = begin; w < end; w++) {
    executed += static_cast<double>(took[w].rounds) * unrolled * instructions;
    first = std::min(first, took[w].start);
    last = std::max(last, took[w].end);
  }
  return executed == 0 ? 0 : sub_cores * static_cast<double>(last - first) / executed;
}

const char* name_of(Work work) {
  constexpr const char* names[] = {"",       "hmma_kept", "hmma_fresh", "ffma", "ffma_three", "fmnmx",
                                   "lop3",   "iadd",      "imad",       "mufu", "ldmatrix",   "ldmatrix_conflicts",
                                   "shuffle"};
  return names[static_cast<int>(work)];
}

template <Work first, Work second>
PairRow measure(int first_warps, int second_warps) {
  const int of_first = first_warps * sub_cores, of_second = second_warps * sub_cores;
  const int warps = of_first + of_second;
  DeviceArray<Took> took(warps);
  DeviceArray<float> sink(warps * 32);
  std::vector<Took> best;
  for (int i = 0; i < 5; i++) {  // the first also loads the code
    pair<first, second><<<1, warps * 32, smem_bytes>>>(took.data(), sink.data(), of_first);
    check_launch("a measurement of pipes");
    wait_for_gpu("a measurement of pipes");
    const std::vector<Took> now = took.to_host();
    if (best.empty() || cycles_of(now, 0, of_first) < cycles_of(best, 0, of_first)) best = now;
  }
  return {name_of(first),
          name_of(second),
          first_warps,
          second_warps,
          cycles_of(best, 0, of_first),
          second == Work::nothing ? 0 : cycles_of(best, of_first, warps)};
}

template <Work work>
void add_alone(std::vector<PairRow>& rows) {
  for (int warps = 1; warps <= most_warps; warps *= 2) rows.push_back(measure<work, Work::nothing>(warps, 0));
}

template <Work... others>
void add_all(std::vector<PairRow>& rows) {
  (add_alone<others>(rows), ...);
  (rows.push_back(measure<Work::hmma_kept, others>(1, 1)), ...);
  (rows.push_back(measure<Work::hmma_fresh, others>(1, 1)), ...);
}

}  // namespace

std::vector<PairRow> measure_pairs() {
  std::vector<PairRow> rows;
  add_alone<Work::hmma_kept>(rows);
  add_alone<Work::hmma_fresh>(rows);
  add_alone<Work::ldmatrix_conflicts>(rows);
  add_all<Work::ffma, Work::ffma_three, Work::fmnmx, Work::lop3, Work::iadd, Work::imad, Work::mufu, Work::ldmatrix,
          Work::shuffle>(rows);
  return rows;
}

}  // namespace flash_steps::pipes
