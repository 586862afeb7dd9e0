// The instruments show what the emulator does: their states in a browser against words that are run here.
#include "harness/site/instruments/instruments.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "harness/base/text.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/site/book/trials.h"
#include "harness/site/instruments/bank_map.h"
#include "harness/site/instruments/fragments.h"
#include "harness/site/instruments/softmax.h"
#include "harness/site/markup/html.h"
#include "kernels/isa_sm90.cuh"
#include "tests/site/browsed_site.h"
#include "tests/support/emulator_fixture.h"

namespace flash_steps {
namespace {

using nlohmann::json;

// Where the fragment explorer shows an element.
struct Shown {
  int lane;
  int reg;
  int half;
};

Shown read(const std::string& text) {
  const std::vector<std::string> parts = split(text, ' ');
  return {std::stoi(parts[0]), std::stoi(parts[1]), std::stoi(parts[2])};
}

class InstrumentsInBrowser : public AnInstrumentInBrowser {
 protected:
  static Shown held(const std::string& operand, int row, int column) {
    choose({{"operand", operand}, {"row", std::to_string(row)}, {"column", std::to_string(column)}});
    return read(shown("#held"));
  }
};

// The wavefronts that the emulator counts when a warp executes the word at these addresses.
int64_t counted_wavefronts(const BankCase& one) {
  const emulator::TestBuffer from("from", 256, false);
  const auto report = emulator::run_cta(32, 64 * 1024, {from.view()}, [&] {
    const uint32_t address = shared_base() + one.addresses[threadIdx.x];
    uint32_t regs[4];
    if (one.word.starts_with("ldmatrix_x4")) ldmatrix_x4(regs, address);
    if (one.word == "cp_async_16") {
      cp_async_16(address, from.as<uint32_t>());
      cp_async_commit();
      cp_async_wait<0>();
    }
    if (one.word == "st_shared_4") st_shared_4(address, 0);
  });
  int64_t wavefronts = 0;
  for (const LineCounters& line : report.lines) wavefronts += static_cast<int64_t>(line.wavefronts);
  return wavefronts;
}

TEST_F(InstrumentsInBrowser, TheBankMapShowsTheWavefrontsOfEveryCase) {
  open("bank_map.html", "");
  const std::vector<BankCase> cases = bank_cases();
  ASSERT_GE(cases.size(), 20u);
  for (const BankCase& one : cases) {
    choose({{"word", one.word}, {"row", std::to_string(one.row_bytes)}, {"swizzle", one.swizzle}, {"phase", "1"}});
    EXPECT_EQ(shown("#wavefronts"), std::to_string(counted_wavefronts(one)))
        << one.word << " " << one.row_bytes << " " << one.swizzle;
    int sum = 0;
    for (const std::string& phase : split(shown("#phases"), ' ')) sum += std::atoi(phase.c_str());
    EXPECT_EQ(sum, one.wavefronts);
  }
}

// The product of matrices that are 0 but for a 1 at (row, k) of A and at (k, column) of B, put where the explorer shows
// them, is a 1 where it shows (row, column) of D, and 0 elsewhere.
void expect_product(const Shown& a, const Shown& b, const Shown& d) {
  emulator::launch({.threads = 32}, [&] {
    const int lane = static_cast<int>(threadIdx.x);
    uint32_t a_regs[4] = {}, b_regs[2] = {};
    if (a.lane == lane) a_regs[a.reg] = 0x3c00u << 16 * a.half;
    if (b.lane == lane) b_regs[b.reg] = 0x3c00u << 16 * b.half;
    const float zero[4] = {};
    float sums[4];
    mma_m16n8k16<fp16_t>(sums, a_regs, b_regs[0], b_regs[1], zero);
    for (int r = 0; r < 4; r++) EXPECT_EQ(sums[r], lane == d.lane && r == d.reg ? 1.0f : 0.0f) << lane << " " << r;
  });
}

TEST_F(InstrumentsInBrowser, TheFragmentExplorerShowsOperandsThatTheTensorCoreTakes) {
  open("fragments.html", "");
  for (int i = 0; i < 24; i++) {
    const int row = i * 5 % 16, k = i * 7 % 16, column = i * 3 % 8;
    expect_product(held("A", row, k), held("B", k, column), held("C, D", row, column));
  }
}

// Another word's product of 64×16 by 16×128: A is 0 but for a 1 in a register of a thread, B but for a column of 1s.
// Then D is 0 but for a 1.
void expect_product_of_warpgroup(int row, int column, const Shown& a, const Shown& d) {
  constexpr int row_bytes = 128, half_bytes = 16 * row_bytes;  // B lies in two halves of 64 columns
  emulator::launch({.threads = 128, .smem_bytes = 2 * half_bytes}, [&] {
    const int thread = static_cast<int>(threadIdx.x);
    for (int place = thread * 4; place < 2 * half_bytes; place += 512) {
      const int k = place % half_bytes / row_bytes, byte = place % row_bytes ^ k % 8 * 16;
      const bool is_of_column = place < half_bytes && byte / 4 == column / 2;
      st_shared_4(shared_base() + place, is_of_column ? 0x3c00u << 16 * (column % 2) : 0);
    }
    uint32_t a_regs[4] = {};
    if (thread == row / 16 * 32 + a.lane) a_regs[a.reg] = 0x3c00u << 16 * a.half;
    float sums[16][4] = {};
    proxy_fence();
    barrier();
    wgmma_fence();
    wgmma_m64n128k16_trans<fp16_t>(sums, a_regs, descriptor(shared_base(), half_bytes, 8 * row_bytes));
    wgmma_commit();
    wgmma_wait<0>(sums);
    for (int r = 0; r < 64; r++) {
      EXPECT_EQ(sums[r / 4][r % 4], thread == d.lane && r == d.reg ? 1.0f : 0.0f) << row << " " << column;
    }
  });
}

TEST_F(InstrumentsInBrowser, TheFragmentExplorerShowsTheSumsOfAWarpgroup) {
  open("fragments.html", "");
  for (int i = 0; i < 20; i++) {
    const int row = i * 13 % 64, column = i * 7 % 16;
    const Shown a = held("A", row % 16, column), d = held("wgmma D", row, column);
    expect_product_of_warpgroup(row, column, a, d);
  }
}

TEST_F(InstrumentsInBrowser, TheFragmentExplorerShowsWhereLdmatrixPutsThings) {
  open("fragments.html", "");
  for (const bool transposed : {false, true}) {
    std::array<uint32_t, 128> loaded{};
    emulator::launch({.threads = 32, .smem_bytes = 512}, [&] {
      const int lane = static_cast<int>(threadIdx.x);
      for (int i = 0; i < 4; i++) {
        const uint32_t number = 2 * (i * 32 + lane);
        st_shared_4(shared_base() + (i * 32 + lane) * 4, number | (number + 1) << 16);
      }
      barrier();
      uint32_t regs[4];
      const uint32_t from = shared_base() + lane % 16 * 32 + lane / 16 * 16;
      if (transposed) {
        ldmatrix_x4_trans(regs, from);
      } else {
        ldmatrix_x4(regs, from);
      }
      for (int r = 0; r < 4; r++) loaded[lane * 4 + r] = regs[r];
    });
    for (int i = 0; i < 20; i++) {
      const int row = i * 5 % 16, column = i * 11 % 16;
      const Shown place = held(transposed ? "ldmatrix.x4.trans" : "ldmatrix.x4", row, column);
      EXPECT_EQ(loaded[place.lane * 4 + place.reg] >> 16 * place.half & 0xffff,
                static_cast<uint32_t>(row * 16 + column));
    }
  }
}

TEST_F(InstrumentsInBrowser, TheOnlineSoftmaxIsTheSoftmaxOfTheKeysSoFar) {
  open("softmax.html", "");
  int cases = 0;
  for (const SoftmaxCase& one : softmax_cases()) {
    double sum = 0, output = 0;
    for (size_t tile = 0; tile < one.steps.size(); tile++, cases++) {
      choose({{"scores", one.name}, {"tile", std::to_string(tile + 1)}});
      const SoftmaxStep& step = one.steps[tile];
      for (size_t i = 0; i < step.scores.size(); i++) {
        sum += std::exp2(static_cast<double>(step.scores[i]));
        output += std::exp2(static_cast<double>(step.scores[i])) * one.values[tile * step.scores.size() + i];
      }
      EXPECT_EQ(std::stof(shown("[data-name=max]")), step.row_max);
      EXPECT_EQ(std::stof(shown("[data-name=shrink]")), step.shrink);
      EXPECT_NEAR(std::stod(shown("[data-name=sum]")), sum / std::exp2(static_cast<double>(step.row_max)), 1e-5);
      EXPECT_NEAR(std::stod(shown("[data-name=answer]")), output / sum, 1e-6) << one.name << " " << tile;
    }
    EXPECT_NEAR(std::stod(shown("[data-name=answer]")), one.exact, 1e-6);
  }
  EXPECT_GE(cases, 20);
}

TEST_F(InstrumentsInBrowser, TheLadderShowsWhatTheResultsHave) {
  const SiteData data = read_site_data(FLASH_STEPS_SOURCE_DIR);
  int cases = 0;
  for (const Sweep& sweep : sweeps_of(data.files, data.published)) {
    for (const int seqlen : data.published.seqlens) {
      open("ladder.html", "");
      choose({{"length", std::to_string(seqlen)}, {"type", name_of(sweep.dtype)}, {"gpu", sweep.gpu}});
      // Without a run of that length there is no column.
      const json cells = browser().evaluate(
          "Object.fromEntries([...document.querySelectorAll('#table tbody tr')].map((row) => "
          "[row.querySelector('th').textContent, row.querySelector('td')?.dataset.value ?? 'null']))");
      for (const auto& [name, value] : cells.items()) {
        const auto percent = percent_at(sweep, name, seqlen);
        EXPECT_EQ(value.get<std::string>() == "null", !percent.has_value()) << name;
        if (percent.has_value()) {
          EXPECT_NEAR(std::stod(value.get<std::string>()), *percent, 1e-9) << name;
        }
        cases++;
      }
    }
  }
  EXPECT_GE(cases, 20);
}

TEST_F(InstrumentsInBrowser, TheTextLinksToStatesThatThereAre) {
  for (const Trial& trial : trials()) {
    browser().open(address(trial.file) + "#" + encoded(trial.state));
    for (const std::string& part : split(trial.state, '&')) {
      const std::string name = part.substr(0, part.find('='));
      EXPECT_EQ(browser().evaluate("document.getElementById('choice-" + name + "').value"),
                part.substr(part.find('=') + 1))
          << trial.anchor;
    }
  }
}

TEST_F(InstrumentsInBrowser, AStateThatThereIsNotBecomesOneThatThereIs) {
  open("bank_map.html", "word=gone&row=-1&phase=99");
  EXPECT_TRUE(browser().evaluate("Number(document.querySelector('#wavefronts').dataset.value) > 0"));
  EXPECT_TRUE(browser().errors().empty());
}

}  // namespace
}  // namespace flash_steps
