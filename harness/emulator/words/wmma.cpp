// WMMA as a lane calls it: in the instructions that it becomes in machine code, each with the lane's own address.

#include "harness/emulator/words/isa.h"
#include "harness/emulator/words/operation.h"

namespace flash_steps {
inline namespace on_emulator {
namespace {

using emulator::Matrix;
using emulator::perform;
using emulator::warp_lanes;
using emulator::Word;

constexpr int element_bytes = 2;
constexpr int sum_bytes = 4;

int lane_number() { return static_cast<int>(threadIdx.x) % warp_lanes; }

// One ldmatrix.x4, of whose rows of eight elements the lane points at this one.
void load(Word word, Fragment& fragment, uint32_t from_smem, int stride, int row, int element, SourceLine line) {
  perform({.word = word,
           .line = line,
           .smem = from_smem + (row * stride + element) * element_bytes,
           .to = fragment.regs,
           .matrix = Matrix{from_smem, stride * element_bytes}});
}

}  // namespace

namespace wmma {

void load_a(Fragment& a, uint32_t from_smem, int stride, SourceLine line) {
  const int lane = lane_number();
  load(Word::wmma_load_a, a, from_smem, stride, lane % 16, lane / 16 * 8, line);
}

void load_b_row(Fragment& b, uint32_t from_smem, int stride, SourceLine line) {
  const int lane = lane_number();
  load(Word::wmma_load_b_row, b, from_smem, stride, lane % 16, lane / 16 * 8, line);
}

void load_b_col(Fragment& b, uint32_t from_smem, int stride, SourceLine line) {
  const int lane = lane_number();
  load(Word::wmma_load_b_col, b, from_smem, stride, lane / 16 * 8 + lane % 8, lane / 8 % 2 * 8, line);
}

void mma(FragmentC& c, const Fragment& a, const Fragment& b, bool is_fp16, SourceLine line) {
  for (int half = 0; half < 2; half++) {
    float* const sums = c.regs + half * 4;
    perform({.word = is_fp16 ? Word::wmma_mma_fp16 : Word::wmma_mma_bf16,
             .line = line,
             .a = a.regs,
             .b = b.regs + half * 2,
             .c = sums,
             .d = sums});
  }
}

}  // namespace wmma

void wmma_store_d(uint32_t to_smem, const FragmentC& d, int stride, SourceLine line) {
  const int lane = lane_number();
  for (int i = 0; i < 4; i++) {
    const int row = lane / 4 + i % 2 * 8;
    const int column = lane % 4 * 2 + i / 2 * 8;
    perform({.word = Word::wmma_store_d,
             .line = line,
             .smem = to_smem + (row * stride + column) * sum_bytes,
             .from = d.regs + i * 2,
             .matrix = Matrix{to_smem, stride * sum_bytes}});
  }
}

}  // namespace on_emulator
}  // namespace flash_steps
