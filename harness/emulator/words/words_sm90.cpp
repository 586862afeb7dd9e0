// The words of Hopper as a lane calls them.

#include <cstring>

#include "harness/emulator/words/isa_sm90.h"
#include "harness/emulator/words/operands.h"
#include "harness/emulator/words/operation.h"

namespace flash_steps {
inline namespace on_emulator {

using emulator::perform;
using emulator::TmaCopy;
using emulator::Wgmma;
using emulator::Word;

namespace {

TensorMapShape shape_of(const TensorMap& map) {
  TensorMapShape shape;
  std::memcpy(&shape, map.bytes.data(), sizeof shape);
  return shape;
}

void multiply(Word word, SourceLine line, const Wgmma& operands) {
  perform({.word = word, .line = line, .from = &operands});
}

}  // namespace

void mbarrier_init(uint32_t barrier_smem, int arrivals, SourceLine line) {
  perform({.word = Word::mbarrier_init, .line = line, .smem = barrier_smem, .immediate = arrivals});
}

void mbarrier_init_fence(SourceLine line) { perform({.word = Word::mbarrier_init_fence, .line = line}); }

void mbarrier_arrive(uint32_t barrier_smem, SourceLine line) {
  perform({.word = Word::mbarrier_arrive, .line = line, .smem = barrier_smem});
}

void mbarrier_arrive_expect_tx(uint32_t barrier_smem, int bytes, SourceLine line) {
  perform({.word = Word::mbarrier_arrive_expect_tx, .line = line, .smem = barrier_smem, .immediate = bytes});
}

void mbarrier_wait(uint32_t barrier_smem, int parity, SourceLine line) {
  perform({.word = Word::mbarrier_wait, .line = line, .smem = barrier_smem, .immediate = parity});
}

bool elect_one(SourceLine line) {
  bool elected;
  perform({.word = Word::elect_one, .line = line, .to = &elected});
  return elected;
}

void tma_load(uint32_t to_smem, const TensorMap& map, int c0, int c1, int c2, int c3, int c4, uint32_t barrier_smem,
              SourceLine line) {
  const TmaCopy copy{to_smem, shape_of(map), {c0, c1, c2, c3, c4}, barrier_smem};
  perform({.word = Word::tma_load, .line = line, .smem = to_smem, .from = &copy});
}

void tma_store(const TensorMap& map, int c0, int c1, int c2, int c3, int c4, uint32_t from_smem, SourceLine line) {
  const TmaCopy copy{from_smem, shape_of(map), {c0, c1, c2, c3, c4}, 0};
  perform({.word = Word::tma_store, .line = line, .smem = from_smem, .from = &copy});
}

void tma_store_commit(SourceLine line) { perform({.word = Word::tma_store_commit, .line = line}); }

void tma_store_wait_group_read(int pending, SourceLine line) {
  perform({.word = Word::tma_store_wait_read, .line = line, .immediate = pending});
}

void proxy_fence(SourceLine line) { perform({.word = Word::proxy_fence, .line = line}); }

void wgmma_fence(SourceLine line) { perform({.word = Word::wgmma_fence, .line = line}); }

void wgmma_commit(SourceLine line) { perform({.word = Word::wgmma_commit, .line = line}); }

void wgmma_wait_group(int pending, float* d, SourceLine line) {
  perform({.word = Word::wgmma_wait, .line = line, .immediate = pending, .d = d});
}

template <>
void wgmma_m64n128k16<fp16_t>(float (&d)[16][4], uint64_t a, uint64_t b, bool accumulate, SourceLine line) {
  multiply(Word::wgmma_fp16, line, {d[0], nullptr, a, b, accumulate});
}

template <>
void wgmma_m64n128k16<bf16_t>(float (&d)[16][4], uint64_t a, uint64_t b, bool accumulate, SourceLine line) {
  multiply(Word::wgmma_bf16, line, {d[0], nullptr, a, b, accumulate});
}

template <>
void wgmma_m64n128k16_trans<fp16_t>(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b, SourceLine line) {
  multiply(Word::wgmma_trans_fp16, line, {d[0], a, 0, b, true});
}

template <>
void wgmma_m64n128k16_trans<bf16_t>(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b, SourceLine line) {
  multiply(Word::wgmma_trans_bf16, line, {d[0], a, 0, b, true});
}

void set_registers(int registers, bool more, SourceLine line) {
  perform({.word = more ? Word::setmaxnreg_inc : Word::setmaxnreg_dec, .line = line, .immediate = registers});
}

void named_barrier(int id, int threads, bool wait, SourceLine line) {
  // The number of the barrier goes where words about memory have an address.
  perform({.word = wait ? Word::named_barrier_sync : Word::named_barrier_arrive,
           .line = line,
           .smem = static_cast<uint32_t>(id),
           .immediate = threads});
}

void stmatrix_x4(uint32_t to_smem, const uint32_t (&regs)[4], SourceLine line) {
  perform({.word = Word::stmatrix_x4, .line = line, .smem = to_smem, .from = regs});
}

}  // namespace on_emulator
}  // namespace flash_steps
