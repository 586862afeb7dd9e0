#include "harness/site/instruments/fragments.h"

#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/json.h"
#include "harness/emulator/emulator.h"
#include "harness/emulator/words/isa.h"
#include "harness/emulator/words/isa_sm90.h"
#include "harness/site/markup/html.h"
#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

constexpr int lanes = 32;
constexpr int tile_rows = 16;
constexpr int tile_columns = 16;

using Registers = std::array<std::array<uint32_t, 4>, lanes>;

// ldmatrix of a tile whose 16-bit elements are their own numbers, row by row. The lanes point at the left half from top
// to bottom, then at the right one; without the second half of the lanes' rows that is what B takes, too.
Registers loaded(bool transposed, bool right_first) {
  std::array<uint32_t, tile_rows * tile_columns / 2> numbers{};
  for (uint32_t i = 0; i < numbers.size(); i++) numbers[i] = 2 * i | (2 * i + 1) << 16;
  Registers held{};
  const emulator::LaunchConfig config{.threads = lanes, .smem_bytes = sizeof numbers};
  emulator::launch(config, [&] {
    const int lane = static_cast<int>(threadIdx.x);
    for (uint32_t i = 0; i < numbers.size() / lanes; i++) {
      st_shared_4(shared_base() + (i * lanes + lane) * 4, numbers[i * lanes + lane]);
    }
    barrier();
    const int row = right_first ? lane / 16 * 8 + lane % 8 : lane % 16;
    const int half = right_first ? lane / 8 % 2 : lane / 16;
    const uint32_t from = shared_base() + row * tile_columns * 2 + half * 16;
    uint32_t regs[4];
    if (transposed) {
      ldmatrix_x4_trans(regs, from);
    } else {
      ldmatrix_x4(regs, from);
    }
    for (int r = 0; r < 4; r++) held[lane][r] = regs[r];
  });
  return held;
}

// By element, from what the registers hold.
std::vector<Held> places_of(const Registers& registers, int count) {
  std::vector<Held> held(tile_rows * tile_columns);
  for (int lane = 0; lane < lanes; lane++) {
    for (int r = 0; r < count; r++) {
      held[registers[lane][r] & 0xffff] = {lane, r, 0};
      held[registers[lane][r] >> 16] = {lane, r, 1};
    }
  }
  return held;
}

// Each element of D = A·B by itself: A and B are 0 but for one element each, at (row, 0) and (0, column).
std::vector<Held> places_of_sums(const std::vector<Held>& a, const std::vector<Held>& b) {
  constexpr int rows = 16, columns = 8;
  constexpr uint32_t one = 0x3c00;  // 1.0 in fp16
  std::vector<Held> held(rows * columns);
  const emulator::LaunchConfig config{.threads = lanes};
  emulator::launch(config, [&] {
    const int lane = static_cast<int>(threadIdx.x);
    for (int i = 0; i < rows * columns; i++) {
      const Held left = a[i / columns * 16];
      const Held right = b[i % columns];
      uint32_t a_regs[4] = {}, b_regs[2] = {};
      if (left.lane == lane) a_regs[left.reg] = one << 16 * left.half;
      if (right.lane == lane) b_regs[right.reg] = one << 16 * right.half;
      const float zero[4] = {};
      float d[4];
      mma_m16n8k16<fp16_t>(d, a_regs, b_regs[0], b_regs[1], zero);
      for (int r = 0; r < 4; r++) {
        if (d[r] != 0) held[i] = {lane, r, 0};
      }
    }
  });
  return held;
}

// B's 16 × 8 from a tile of K, whose rows are B's columns: keys 0 to 7, and registers 0 and 1.
std::vector<Held> places_of_b(const Registers& registers) {
  const std::vector<Held> of_k = places_of(registers, 2);
  std::vector<Held> held;
  for (int row = 0; row < 16; row++) {
    for (int column = 0; column < 8; column++) held.push_back(of_k[column * tile_columns + row]);
  }
  return held;
}

// Of the first columns of a wgmma's sums. With rows (1, row, 0, …) of A and columns (column, 128, 0, …) of B, an
// element of A·B is its own number, column + 128·row.
std::vector<Held> places_of_warpgroup_sums() {
  constexpr int rows = 64, columns = 128, row_bytes = 128, k = 16, threads = 128;
  std::vector<Held> held(rows * tile_columns);
  const auto fill = [](uint32_t operand, int row, float first, float second) {
    const auto bits = [](float value) { return uint32_t{from_double(value, Dtype::fp16)}; };
    for (int i = 0; i < k / 2; i++) {
      const uint32_t place = operand + row * row_bytes + (i * 4 ^ row % 8 * 16);
      st_shared_4(place, i == 0 ? bits(first) | bits(second) << 16 : 0);
    }
  };
  const emulator::LaunchConfig config{.threads = threads, .smem_bytes = (rows + columns) * row_bytes};
  emulator::launch(config, [&] {
    const int thread = static_cast<int>(threadIdx.x);
    const uint32_t a = shared_base(), b = a + rows * row_bytes;
    if (thread < rows) fill(a, thread, 1, static_cast<float>(thread));
    fill(b, thread, static_cast<float>(thread), columns);
    proxy_fence();
    barrier();
    float d[16][4];
    wgmma_fence();
    wgmma_m64n128k16<fp16_t>(d, descriptor(a, 0, 8 * row_bytes), descriptor(b, 0, 8 * row_bytes), false);
    wgmma_commit();
    wgmma_wait<0>(d);
    for (int r = 0; r < tile_columns / 2; r++) {
      const int number = static_cast<int>(d[r / 4][r % 4]);
      held[number / columns * tile_columns + number % columns] = {thread, r, 0};
    }
  });
  return held;
}

}  // namespace

std::vector<OperandMap> fragments() {
  const std::vector<Held> plain = places_of(loaded(false, false), 4);
  const std::vector<Held> b = places_of_b(loaded(false, true));
  return {
      {"A", "The left operand of mma.m16n8k16, 16×16: two elements of 16 bits in a register.", 16, 16, 4, false, plain},
      {"B", "The right operand of mma.m16n8k16, 16×8: two elements of a column in a register.", 16, 8, 2, false, b},
      {"C, D", "The sums of mma.m16n8k16, 16×8 in fp32: an element in a register.", 16, 8, 4, true,
       places_of_sums(plain, b)},
      {"ldmatrix.x4",
       "A tile of 16×16 in shared memory, where ldmatrix.x4 puts it: lanes 0 to 15 point at the left "
       "halves of the rows, lanes 16 to 31 at the right ones.",
       16, 16, 4, false, plain},
      {"ldmatrix.x4.trans", "The same with .trans: each 8×8 matrix is transposed on its way.", 16, 16, 4, false,
       places_of(loaded(true, false), 4)},
      {"wgmma D",
       "The sums of wgmma.m64n128k16 in fp32, the first 16 of their 128 columns: a warpgroup's four warps have 16 rows "
       "each, and every 8 columns are four registers more.",
       64, 16, 8, true, places_of_warpgroup_sums(), 128}};
}

Framed fragments_page() {
  Json json = Json::array();
  for (const OperandMap& fragment : fragments()) {
    Json held = Json::array();
    for (const Held& place : fragment.held) held.push_back({place.lane, place.reg, place.half});
    json.push_back({{"name", fragment.name},
                    {"explanation", fragment.explanation},
                    {"rows", fragment.rows},
                    {"columns", fragment.columns},
                    {"registers", fragment.registers},
                    {"wide", fragment.is_wide},
                    {"threads", fragment.threads},
                    {"held", held}});
  }
  Framed page;
  page.file = "instruments/fragments.html";
  page.title = "Fragment explorer";
  page.kind = "instrument";
  page.scripts = {"instrument.js", "fragments.js"};
  page.in_contents = false;
  page.main =
      "<article class=\"wide\">\n<h1>Fragment explorer</h1>\n"
      "<p>A matrix that is an operand of the tensor core lies spread over the registers of a warp’s 32 lanes, in a "
      "fixed pattern. Point at an element, or step with the arrow keys, to see the lane and the register that hold it; "
      "point at a register of a lane to see its elements. The pattern is read off the emulator: it loads a tile of "
      "numbered "
      "elements, and multiplies matrices of a single 1.</p>\n"
      "<form class=\"choices\" id=\"choices\"></form>\n<p id=\"explanation\"></p>\n<p id=\"answer\" "
      "aria-live=\"polite\"></p>\n<div class=\"two fitted\"><div><h2>The matrix</h2><div id=\"matrix\" "
      "class=\"scroll\"></div>"
      "</div><div><h2>The registers</h2><div id=\"registers\" class=\"scroll\"></div></div></div>\n<noscript><p>This "
      "instrument needs JavaScript; kernels/isa.cuh has the pattern in words.</p></noscript>\n</article>\n<script "
      "type=\"application/json\" id=\"data\">" +
      script_json(text_of(json, -1)) + "</script>\n";
  return page;
}

}  // namespace flash_steps
