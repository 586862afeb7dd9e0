#include "harness/emulator/execute.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "harness/emulator/memory/counting.h"
#include "harness/emulator/words/arithmetic.h"

namespace flash_steps::emulator {
namespace {

std::array<uint32_t, warp_lanes> shared_addresses(const WarpOperation& lanes) {
  std::array<uint32_t, warp_lanes> addresses;
  for (int lane = 0; lane < warp_lanes; lane++) addresses[lane] = lanes[lane]->smem;
  return addresses;
}

void count_shared(const WarpOperation& lanes, int width, Site& site) {
  site.counters.wavefronts += wavefronts(shared_addresses(lanes), width);
  site.counters.ideal_wavefronts += phases(width);
}

void count_shared_load(const WarpOperation& lanes, int width, Site& site) {
  const SharedCost cost = load_cost(shared_addresses(lanes), width);
  site.counters.wavefronts += cost.wavefronts;
  site.counters.ideal_wavefronts += cost.ideal;
}

uintptr_t address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

void cp_async(const WarpOperation& lanes, int first_thread, Site& site, SharedMemory& shared, GlobalMemory& global) {
  count_shared(lanes, sizeof(Chunk), site);
  std::array<uintptr_t, warp_lanes> addresses;
  for (int lane = 0; lane < warp_lanes; lane++) {
    addresses[lane] = address(lanes[lane]->from);
    Chunk chunk;
    global.read(first_thread + lane, lanes[lane]->from, sizeof chunk, site, &chunk);
    shared.copy(first_thread + lane, lanes[lane]->smem, sizeof chunk, site, &chunk);
  }
  site.counters.sectors += sectors(addresses);
}

// The addresses of some of the lanes.
class Addresses {
 public:
  void add(const void* pointer) { addresses_[count_++] = address(pointer); }
  std::span<const uintptr_t> span() const { return {addresses_.data(), count_}; }

 private:
  std::array<uintptr_t, warp_lanes> addresses_;
  size_t count_ = 0;
};

void cp_async_or_zeros(const WarpOperation& lanes, int first_thread, Site& site, SharedMemory& shared,
                       GlobalMemory& global) {
  count_shared(lanes, sizeof(Chunk), site);
  Addresses addresses;
  for (int lane = 0; lane < warp_lanes; lane++) {
    Chunk chunk{};
    if (lanes[lane]->immediate != 0) {
      addresses.add(lanes[lane]->from);
      global.read(first_thread + lane, lanes[lane]->from, sizeof chunk, site, &chunk);
    }
    shared.copy(first_thread + lane, lanes[lane]->smem, sizeof chunk, site, &chunk);
  }
  site.counters.sectors += sectors(addresses.span());
}

void store_global_if(const WarpOperation& lanes, int first_thread, Site& site, GlobalMemory& global) {
  Addresses addresses;
  for (int lane = 0; lane < warp_lanes; lane++) {
    if (lanes[lane]->immediate == 0) continue;
    addresses.add(lanes[lane]->to);
    global.write(first_thread + lane, lanes[lane]->to, width_of(site.word), site, lanes[lane]->from);
  }
  site.counters.sectors += sectors(addresses.span());
}

void load_global(const WarpOperation& lanes, int first_thread, Site& site, GlobalMemory& global) {
  const int width = width_of(site.word);
  std::array<uintptr_t, warp_lanes> addresses;
  for (int lane = 0; lane < warp_lanes; lane++) {
    addresses[lane] = address(lanes[lane]->from);
    global.read(first_thread + lane, lanes[lane]->from, width, site, lanes[lane]->to);
  }
  site.counters.sectors += sectors(addresses);
  site.counters.tags += tags(addresses);
}

void store_global(const WarpOperation& lanes, int first_thread, Site& site, GlobalMemory& global) {
  const int width = width_of(site.word);
  std::array<uintptr_t, warp_lanes> addresses;
  for (int lane = 0; lane < warp_lanes; lane++) {
    addresses[lane] = address(lanes[lane]->to);
    global.write(first_thread + lane, lanes[lane]->to, width, site, lanes[lane]->from);
  }
  site.counters.sectors += sectors(addresses);
}

void add_global(const WarpOperation& lanes, int first_thread, Site& site, GlobalMemory& global) {
  std::array<uintptr_t, warp_lanes> addresses;
  for (int lane = 0; lane < warp_lanes; lane++) {
    addresses[lane] = address(lanes[lane]->to);
    global.add(first_thread + lane, lanes[lane]->to, site, lanes[lane]->from);
  }
  site.counters.sectors += sectors(addresses);
}

void load_shared(const WarpOperation& lanes, int first_thread, Site& site, SharedMemory& shared) {
  const int width = width_of(site.word);
  count_shared_load(lanes, width, site);
  for (int lane = 0; lane < warp_lanes; lane++) {
    shared.read(first_thread + lane, lanes[lane]->smem, width, site, lanes[lane]->to);
  }
}

void store_shared(const WarpOperation& lanes, int first_thread, Site& site, SharedMemory& shared) {
  const int width = width_of(site.word);
  count_shared(lanes, width, site);
  for (int lane = 0; lane < warp_lanes; lane++) {
    shared.write(first_thread + lane, lanes[lane]->smem, width, site, lanes[lane]->from);
  }
}

uint32_t join(uint16_t low, uint16_t high) { return low | uint32_t{high} << 16; }

void ldmatrix(const WarpOperation& lanes, int first_thread, bool transposed, Site& site, SharedMemory& shared) {
  count_shared(lanes, sizeof(Chunk), site);
  uint16_t matrices[4][8][8];
  for (int lane = 0; lane < warp_lanes; lane++) {
    shared.read(first_thread + lane, lanes[lane]->smem, sizeof(Chunk), site, matrices[lane / 8][lane % 8]);
  }
  for (int lane = 0; lane < warp_lanes; lane++) {
    auto* regs = static_cast<uint32_t*>(lanes[lane]->to);
    const int group = lane / 4;
    const int pair = lane % 4 * 2;
    for (int i = 0; i < 4; i++) {
      regs[i] = transposed ? join(matrices[i][pair][group], matrices[i][pair + 1][group])
                           : join(matrices[i][group][pair], matrices[i][group][pair + 1]);
    }
  }
}

// WMMA's demands on the address that its lanes share; the accesses behind it are checked as any others.
void check_matrix(const WarpOperation& lanes, int first_thread, const Site& site, SharedMemory& shared) {
  constexpr int address_unit = 32;
  constexpr int row_unit = 16;
  const Matrix& first = lanes[0]->matrix;
  for (int lane = 0; lane < warp_lanes; lane++) {
    const Matrix& matrix = lanes[lane]->matrix;
    if (matrix == first && matrix.address % address_unit == 0 && matrix.row_bytes % row_unit == 0) continue;
    return shared.report_matrix(first_thread + lane, matrix.address, matrix.row_bytes, site);
  }
}

uint16_t low(uint32_t reg) { return static_cast<uint16_t>(reg); }
uint16_t high(uint32_t reg) { return static_cast<uint16_t>(reg >> 16); }

void stmatrix(const WarpOperation& lanes, int first_thread, Site& site, SharedMemory& shared) {
  count_shared(lanes, sizeof(Chunk), site);
  uint16_t matrices[4][8][8];
  for (int lane = 0; lane < warp_lanes; lane++) {
    const auto* regs = static_cast<const uint32_t*>(lanes[lane]->from);
    for (int i = 0; i < 4; i++) {
      matrices[i][lane / 4][lane % 4 * 2] = low(regs[i]);
      matrices[i][lane / 4][lane % 4 * 2 + 1] = high(regs[i]);
    }
  }
  for (int lane = 0; lane < warp_lanes; lane++) {
    shared.write(first_thread + lane, lanes[lane]->smem, sizeof(Chunk), site, matrices[lane / 8][lane % 8]);
  }
}

void mma(const WarpOperation& lanes, Dtype dtype) {
  uint16_t a[16][16];
  uint16_t b[16][8];
  float c[16][8];
  float d[16][8];
  for (int lane = 0; lane < warp_lanes; lane++) {
    const Operation& operands = *lanes[lane];
    const int group = lane / 4;
    const int pair = lane % 4 * 2;
    for (int i = 0; i < 4; i++) {
      uint16_t* elements = &a[group + i % 2 * 8][pair + i / 2 * 8];
      elements[0] = low(operands.a[i]);
      elements[1] = high(operands.a[i]);
      c[group + i / 2 * 8][pair + i % 2] = operands.c[i];
    }
    for (int i = 0; i < 2; i++) {
      b[pair + i * 8][group] = low(operands.b[i]);
      b[pair + i * 8 + 1][group] = high(operands.b[i]);
    }
  }
  multiply_accumulate(dtype, a, b, c, d);
  for (int lane = 0; lane < warp_lanes; lane++) {
    for (int i = 0; i < 4; i++) lanes[lane]->d[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
  }
}

void shuffle(const WarpOperation& lanes) {
  for (int lane = 0; lane < warp_lanes; lane++) {
    const int source = (lane ^ lanes[lane]->immediate) % warp_lanes;
    std::memcpy(lanes[lane]->to, lanes[source]->from, sizeof(float));
  }
}

void vote(const WarpOperation& lanes, Site& site) {
  const bool any = std::any_of(lanes.begin(), lanes.end(),
                               [](const Operation* lane) { return *static_cast<const bool*>(lane->from); });
  for (const Operation* lane : lanes) *static_cast<bool*>(lane->to) = any;
  site.votes_won += any;
}

void commit(int first_thread, Site& site, SharedMemory& shared) {
  for (int lane = 0; lane < warp_lanes; lane++) shared.commit(first_thread + lane, site);
}

void access_global(const WarpOperation& lanes, int first_thread, Site& site, GlobalMemory& global) {
  switch (site.word) {
    case Word::ld_global_4:
    case Word::ld_global_16:
      return load_global(lanes, first_thread, site, global);
    case Word::st_global_16_no_allocate_if:
    case Word::st_global_4_if:
      return store_global_if(lanes, first_thread, site, global);
    case Word::red_global_add:
      return add_global(lanes, first_thread, site, global);
    default:
      return store_global(lanes, first_thread, site, global);
  }
}

// The lowest lane: which one it is, a kernel must not rely on.
void elect(const WarpOperation& lanes) {
  for (int lane = 0; lane < warp_lanes; lane++) *static_cast<bool*>(lanes[lane]->to) = lane == 0;
}

}  // namespace

void execute(const WarpOperation& lanes, int warp, Site& site, SharedMemory& shared, GlobalMemory& global) {
  const int first_thread = warp * warp_lanes;
  site.counters.instructions++;
  if (lanes[0]->matrix != Matrix{}) check_matrix(lanes, first_thread, site, shared);
  switch (site.word) {
    case Word::cp_async_16:
    case Word::cp_async_16_prefetch_128:  // a hint does not change what is counted
      return cp_async(lanes, first_thread, site, shared, global);
    case Word::cp_async_16_or_zeros:
      return cp_async_or_zeros(lanes, first_thread, site, shared, global);
    case Word::cp_async_commit:
      return commit(first_thread, site, shared);
    case Word::cp_async_wait:
      for (int lane = 0; lane < warp_lanes; lane++) shared.wait(first_thread + lane, lanes[lane]->immediate);
      return;
    case Word::ldmatrix_x4:
    case Word::wmma_load_a:
    case Word::wmma_load_b_col:
      return ldmatrix(lanes, first_thread, false, site, shared);
    case Word::ldmatrix_x4_trans:
    case Word::wmma_load_b_row:
      return ldmatrix(lanes, first_thread, true, site, shared);
    case Word::ld_shared_4:
    case Word::ld_shared_8:
    case Word::ld_shared_16:
      return load_shared(lanes, first_thread, site, shared);
    case Word::st_shared_4:
    case Word::st_shared_8:
    case Word::st_shared_16:
    case Word::wmma_store_d:
      return store_shared(lanes, first_thread, site, shared);
    case Word::ld_global_4:
    case Word::ld_global_16:
    case Word::st_global_4:
    case Word::st_global_16:
    case Word::st_global_16_no_allocate:
    case Word::st_global_16_no_allocate_if:
    case Word::st_global_4_if:
    case Word::red_global_add:
      return access_global(lanes, first_thread, site, global);
    case Word::mma_fp16:
    case Word::wmma_mma_fp16:
      return mma(lanes, Dtype::fp16);
    case Word::mma_bf16:
    case Word::wmma_mma_bf16:
      return mma(lanes, Dtype::bf16);
    case Word::shfl_xor:
      return shuffle(lanes);
    case Word::any_of_warp:
      return vote(lanes, site);
    case Word::warp_barrier:
      return shared.warp_barrier(warp);
    case Word::elect_one:
      return elect(lanes);
    case Word::stmatrix_x4:
      return stmatrix(lanes, first_thread, site, shared);
    default:  // of async/units.h, and barrier()
      return;
  }
}

}  // namespace flash_steps::emulator
