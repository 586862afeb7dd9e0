// The instruments show what the emulator does: their states in a browser against words that are run here.
#include "harness/site/instruments/instruments.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "harness/base/text.h"
#include "harness/pages/tables/ladder.h"
#include "harness/site/html.h"
#include "harness/site/instruments/bank_map.h"
#include "harness/site/instruments/fragments.h"
#include "harness/site/instruments/softmax.h"
#include "harness/site/load_tools.h"
#include "harness/site/site.h"
#include "harness/site/trials.h"
#include "tests/support/browser.h"
#include "tests/support/emulator_fixture.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Instruments : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!has_text_tools() || Browser::missing()) return;
    folder_ = fs::path(testing::TempDir()) / "flash_steps_instruments_in_browser";
    fs::remove_all(folder_);
    write_site(make_site(FLASH_STEPS_SOURCE_DIR, kernels()).files, folder_);
    browser_ = new Browser;
  }
  static void TearDownTestSuite() {
    delete browser_;
    browser_ = nullptr;
    fs::remove_all(folder_);
  }
  void SetUp() override {
    if (!has_text_tools()) GTEST_SKIP() << "this build has no md4c and source-highlight; scripts/setup.sh --site";
    if (const auto why = Browser::missing()) GTEST_SKIP() << *why;
  }

  static void open(const std::string& page, const std::string& state) {
    browser_->open("file://" + (folder_ / "instruments" / page).string() + "#" + state);
  }

  // Chooses another state of the page that is open.
  static void choose(const json& state) {
    browser_->evaluate("new Promise((done) => { const parts = Object.entries(" + state.dump() +
                       ").map(([name, value]) => name + '=' + encodeURIComponent(value)).join('&');"
                       "if ('#' + parts === location.hash) return done(0);"
                       "addEventListener('hashchange', () => setTimeout(done, 0), { once: true });"
                       "location.hash = parts; })");
  }

  static std::string shown(const std::string& selector) {
    return browser_->evaluate("document.querySelector(" + json(selector).dump() + ").dataset.value");
  }

  static fs::path folder_;
  static Browser* browser_;
};
fs::path Instruments::folder_;
Browser* Instruments::browser_ = nullptr;

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

TEST_F(Instruments, TheBankMapShowsTheWavefrontsOfEveryCase) {
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

struct Shown {
  int lane;
  int reg;
  int half;
};

Shown read(const std::string& text) {
  const std::vector<std::string> parts = split(text, ' ');
  return {std::stoi(parts[0]), std::stoi(parts[1]), std::stoi(parts[2])};
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

TEST_F(Instruments, TheFragmentExplorerShowsOperandsThatTheTensorCoreTakes) {
  open("fragments.html", "");
  const auto place = [&](const std::string& operand, int row, int column) {
    choose({{"operand", operand}, {"row", std::to_string(row)}, {"column", std::to_string(column)}});
    return read(shown("#held"));
  };
  for (int i = 0; i < 24; i++) {
    const int row = i * 5 % 16, k = i * 7 % 16, column = i * 3 % 8;
    expect_product(place("A", row, k), place("B", k, column), place("C, D", row, column));
  }
}

TEST_F(Instruments, TheFragmentExplorerShowsWhereLdmatrixPutsThings) {
  open("fragments.html", "");
  for (const bool transposed : {false, true}) {
    std::array<uint32_t, 128> held{};
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
      for (int r = 0; r < 4; r++) held[lane * 4 + r] = regs[r];
    });
    for (int i = 0; i < 20; i++) {
      const int row = i * 5 % 16, column = i * 11 % 16;
      choose({{"operand", transposed ? "ldmatrix.x4.trans" : "ldmatrix.x4"},
              {"row", std::to_string(row)},
              {"column", std::to_string(column)}});
      const Shown place = read(shown("#held"));
      EXPECT_EQ(held[place.lane * 4 + place.reg] >> 16 * place.half & 0xffff, static_cast<uint32_t>(row * 16 + column));
    }
  }
}

TEST_F(Instruments, TheOnlineSoftmaxIsTheSoftmaxOfTheKeysSoFar) {
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

TEST_F(Instruments, TheLadderShowsWhatTheResultsHave) {
  const SiteData data = read_site_data(FLASH_STEPS_SOURCE_DIR);
  int cases = 0;
  for (const Sweep& sweep : sweeps_of(data.files, data.published)) {
    for (const int seqlen : data.published.seqlens) {
      open("ladder.html", "");
      choose({{"length", std::to_string(seqlen)}, {"type", name_of(sweep.dtype)}, {"gpu", sweep.gpu}});
      const json cells = browser_->evaluate(
          "Object.fromEntries([...document.querySelectorAll('#table tbody tr')].map((row) => "
          "[row.querySelector('th').textContent, row.querySelector('td').dataset.value]))");
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

TEST_F(Instruments, TheTextLinksToStatesThatThereAre) {
  for (const Trial& trial : trials()) {
    browser_->open("file://" + (folder_ / trial.file).string() + "#" + encoded(trial.state));
    for (const std::string& part : split(trial.state, '&')) {
      const std::string name = part.substr(0, part.find('='));
      EXPECT_EQ(browser_->evaluate("document.getElementById('choice-" + name + "').value"),
                part.substr(part.find('=') + 1))
          << trial.anchor;
    }
  }
}

TEST_F(Instruments, AStateThatThereIsNotBecomesOneThatThereIs) {
  open("bank_map.html", "word=gone&row=-1&phase=99");
  EXPECT_TRUE(browser_->evaluate("Number(document.querySelector('#wavefronts').dataset.value) > 0"));
  EXPECT_TRUE(browser_->errors().empty());
}

}  // namespace
}  // namespace flash_steps
