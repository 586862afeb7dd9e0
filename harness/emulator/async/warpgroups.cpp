#include "harness/emulator/async/warpgroups.h"

#include <algorithm>
#include <cstring>

namespace flash_steps::emulator {
namespace {

constexpr uint32_t in_flight = 0xffffffff;  // a NaN
constexpr int k_bytes = 32;                 // of one row of an operand with k along its rows
constexpr int chunk_bytes = 16;

struct Layout {
  uint32_t start;
  uint32_t leading_bytes;
  uint32_t stride_bytes;
  bool swizzled_128;
};

Layout layout_of(uint64_t descriptor) {
  const auto field = [&](int shift) { return static_cast<uint32_t>(descriptor >> shift & 0x3fff) << 4; };
  return {field(0), field(16), field(32), descriptor >> 62 == 1 && (descriptor >> 49 & 7) == 0};
}

// Reads an operand of shared memory, chunk by chunk: read(address, to).
class OperandReader {
 public:
  OperandReader(const Layout& layout) : layout_(layout) {}

  // [count][16], with k along the rows.
  template <typename Read>
  void k_major(int count, uint16_t (*to)[16], Read read) const {
    for (int row = 0; row < count; row++) {
      for (int byte = 0; byte < k_bytes; byte += chunk_bytes) {
        read(swizzled(layout_.start + row / 8 * layout_.stride_bytes + row % 8 * 128 + byte), &to[row][byte / 2]);
      }
    }
  }

  // [16][128], with n along the rows.
  template <typename Read>
  void n_major(uint16_t (*to)[128], Read read) const {
    for (int k = 0; k < 16; k++) {
      for (int n = 0; n < 128; n += chunk_bytes / 2) {
        read(swizzled(layout_.start + k / 8 * layout_.stride_bytes + k % 8 * 128 + n / 64 * layout_.leading_bytes +
                      n % 64 * 2),
             &to[k][n]);
      }
    }
  }

 private:
  Layout layout_;
};

// Where lane `lane` of a warp has element i of its 64: the row of the warp's sixteen, and the column.
int row_of(int lane, int i) { return lane / 4 + i / 2 % 2 * 8; }
int column_of(int lane, int i) { return i / 4 * 8 + lane % 4 * 2 + i % 2; }

}  // namespace

void Warpgroups::reset() {
  for (Warpgroup& group : groups_) group = {};
}

void Warpgroups::fence(int warp) { groups_[warp / warpgroup_warps].warps[warp % warpgroup_warps].fenced = true; }

void Warpgroups::commit(int warp) {
  Warp& state = groups_[warp / warpgroup_warps].warps[warp % warpgroup_warps];
  state.committed++;
}

void Warpgroups::wait(int warp, int pending, const Site& site) {
  Warpgroup& group = groups_[warp / warpgroup_warps];
  Warp& state = group.warps[warp % warpgroup_warps];
  state.fenced = false;  // what the code behind the wait does to registers is not known
  const int64_t completed = int64_t{state.committed} - pending;
  if (completed <= state.completed) return;
  state.completed = static_cast<uint32_t>(completed);
  if (group.agent >= 0) shared_.clocks().learn(warp, group.agent, state.completed);
  for (Accumulator& accumulator : group.under_way) {
    const int bit = 1 << warp % warpgroup_warps;
    if (accumulator.group >= state.completed || (accumulator.delivered & bit) != 0) continue;
    deliver(accumulator, warp, site);
    accumulator.delivered |= bit;
  }
  std::erase_if(group.under_way, [](const Accumulator& a) { return a.delivered == (1 << warpgroup_warps) - 1; });
}

void Warpgroups::deliver(Accumulator& accumulator, int warp, const Site& site) {
  bool touched = false;
  bool changed = false;
  for (int lane = 0; lane < warp_lanes; lane++) {
    const int l = warp % warpgroup_warps * warp_lanes + lane;
    for (int i = 0; i < lane_floats; i++) {
      uint32_t bits;
      std::memcpy(&bits, accumulator.place[l] + i, sizeof bits);
      touched |= bits != in_flight;
    }
    for (const Registers& operands : accumulator.operands) {
      changed |= !std::equal(operands.value[l].begin(), operands.value[l].end(), operands.place[l]);
    }
    std::copy_n(&accumulator.value[l * lane_floats], lane_floats, accumulator.place[l]);
  }
  if (touched) {
    misused(HazardKind::registers_misused, *accumulator.site, warp,
            "has an accumulator that is written to before " + place(access(&site, 0)) +
                " waits for it: leave it alone until then.");
  }
  if (changed) {
    misused(HazardKind::registers_misused, *accumulator.site, warp,
            "has an operand in registers that change before " + place(access(&site, 0)) +
                " waits for the product: leave them alone until then.");
  }
}

Warpgroups::Accumulator& Warpgroups::accumulator_of(Warpgroup& group, int warpgroup,
                                                    const std::array<const Wgmma*, lanes>& operands, const Site& site) {
  std::array<float*, lanes> place;
  std::transform(operands.begin(), operands.end(), place.begin(), [](const Wgmma* operand) { return operand->d; });
  const auto found = std::find_if(group.under_way.begin(), group.under_way.end(),
                                  [&](const Accumulator& a) { return a.place == place; });
  if (found != group.under_way.end()) return *found;
  for (int w = 0; w < warpgroup_warps; w++) {
    if (group.warps[w].fenced) continue;
    misused(HazardKind::wgmma_misused, site, warpgroup * warpgroup_warps + w,
            "begins with registers that other instructions may not be done with: put wgmma_fence() before it, behind "
            "the last wgmma_wait().");
    break;
  }
  Accumulator accumulator{place, std::vector<float>(lanes * lane_floats), {}, 0, &site};
  for (int l = 0; l < lanes; l++) {
    std::copy_n(place[l], lane_floats, &accumulator.value[l * lane_floats]);
    std::memset(static_cast<void*>(place[l]), 0xff, lane_floats * sizeof(float));
  }
  return group.under_way.emplace_back(std::move(accumulator));
}

// Whether the lanes agree and the descriptors are what the tensor core takes.
bool Warpgroups::usable(const Warpgroup& group, int first_warp, const std::array<const Wgmma*, lanes>& operands,
                        const Site& site) {
  const Wgmma& first = *operands[0];
  const bool alike = std::all_of(operands.begin(), operands.end(), [&](const Wgmma* o) {
    return o->a_descriptor == first.a_descriptor && o->b_descriptor == first.b_descriptor &&
           o->accumulate == first.accumulate;
  });
  const bool in_step = std::all_of(group.warps.begin(), group.warps.end(),
                                   [&](const Warp& warp) { return warp.committed == group.warps[0].committed; });
  if (!alike || !in_step) {
    misused(HazardKind::wgmma_misused, site, first_warp,
            "is called with other operands, or in another group, by other lanes of the warpgroup: all 128 have to call "
            "it alike.");
    return false;
  }
  const bool a_swizzled = first.a != nullptr || layout_of(first.a_descriptor).swizzled_128;
  if (!a_swizzled || !layout_of(first.b_descriptor).swizzled_128) {
    misused(HazardKind::wgmma_misused, site, first_warp,
            "has a descriptor without the 128-byte swizzle: make it with descriptor().");
    return false;
  }
  return true;
}

// A out of the registers of the lanes, as mma_m16n8k16 has it in each warp.
void Warpgroups::take_registers(Accumulator& accumulator, const std::array<const Wgmma*, lanes>& operands,
                                WgmmaOperands& values) {
  Registers& registers = accumulator.operands.emplace_back();
  for (int l = 0; l < lanes; l++) {
    const int row = l / warp_lanes * 16 + l % warp_lanes / 4;
    registers.place[l] = operands[l]->a;
    std::copy_n(operands[l]->a, 4, registers.value[l].begin());
    for (int i = 0; i < 8; i++) {  // sixteen bits each
      values.a[row + i / 2 % 2 * 8][l % 4 * 2 + i / 4 * 8 + i % 2] =
          static_cast<uint16_t>(operands[l]->a[i / 2] >> i % 2 * 16);
    }
  }
}

void Warpgroups::multiply(int warpgroup, const std::array<const Wgmma*, lanes>& operands, Dtype dtype, bool transposed,
                          const Site& site) {
  Warpgroup& group = groups_[warpgroup];
  const Wgmma& first = *operands[0];
  const int first_warp = warpgroup * warpgroup_warps;
  if (!usable(group, first_warp, operands, site)) return;
  if (group.agent < 0) group.agent = shared_.clocks().add_agent();
  Accumulator& accumulator = accumulator_of(group, warpgroup, operands, site);
  accumulator.group = group.warps[0].committed;
  accumulator.site = &site;

  const std::array<int, warpgroup_warps> warps{first_warp, first_warp + 1, first_warp + 2, first_warp + 3};
  const auto read = [&](uint32_t address, void* to) {
    shared_.async_read(warps, first_warp * warp_lanes, address, chunk_bytes, site, group.agent, accumulator.group, to);
  };
  WgmmaOperands values;
  if (first.a == nullptr) {
    OperandReader(layout_of(first.a_descriptor)).k_major(rows, values.a, read);
  } else {
    take_registers(accumulator, operands, values);
  }
  const OperandReader b_reader(layout_of(first.b_descriptor));
  if (transposed) {
    b_reader.n_major(values.b, read);
  } else {
    uint16_t b[columns][depth];
    b_reader.k_major(columns, b, read);
    for (int n = 0; n < columns; n++) {
      for (int k = 0; k < depth; k++) values.b[k][n] = b[n][k];
    }
  }
  const auto for_each_element = [&](auto visit) {
    for (int l = 0; l < lanes; l++) {
      for (int i = 0; i < lane_floats; i++) {
        visit(accumulator.value[l * lane_floats + i],
              values.d[l / warp_lanes * 16 + row_of(l % warp_lanes, i)][column_of(l % warp_lanes, i)]);
      }
    }
  };
  for_each_element([&](float of_lane, float& element) { element = first.accumulate ? of_lane : 0; });
  multiply_accumulate(dtype, values);
  for_each_element([](float& of_lane, float element) { of_lane = element; });
}

void Warpgroups::exit() {
  for (size_t g = 0; g < groups_.size(); g++) {
    for (const Accumulator& accumulator : groups_[g].under_way) {
      misused(HazardKind::wgmma_misused, *accumulator.site, static_cast<int>(g) * warpgroup_warps,
              "is still under way when its warpgroup exits: commit it with wgmma_commit() and wait for it with "
              "wgmma_wait<0>().");
    }
  }
}

void Warpgroups::misused(HazardKind kind, const Site& site, int warp, const std::string& sentence) {
  hazards_.add(kind, nullptr, site, warp * warp_lanes, sentence);
}

}  // namespace flash_steps::emulator
