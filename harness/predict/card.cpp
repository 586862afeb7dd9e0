#include "harness/predict/card.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/text.h"

namespace flash_steps {

// Sources: the white papers that model/rates.cpp names, and for the H200 its data sheet. smem_bytes_per_sm: CUDA C++
// Programming Guide, "Compute Capabilities" (164, 100 and 228 KB). dram_gb_per_s: width of the bus times the memory
// clock of the runs: of the published table 5120 bits at 1512 MHz and 384 bits at 9501 MHz, of ours 5120 bits at
// 2619 MHz and 6144 bits at 3201 MHz, two bits a cycle and line each.
const std::vector<Card>& all_cards() {
  constexpr int kib = 1024;
  constexpr double mib = 1024 * 1024;
  static const std::vector<Card> cards{{"a100", "A100", "sm_80", 108, 164 * kib, 40 * mib, 1935, 210, 1410},
                                       {"rtx3090", "RTX 3090", "sm_86", 82, 100 * kib, 6 * mib, 912, 210, 2100},
                                       {"h100", "H100 80GB HBM3", "sm_90", 132, 228 * kib, 50 * mib, 3352, 210, 1980},
                                       {"h200", "H200", "sm_90", 132, 228 * kib, 50 * mib, 4917, 210, 1980}};
  return cards;
}

const Card* card_of(const std::string& gpu) {
  const std::vector<Card>& cards = all_cards();
  const auto found = std::find_if(cards.begin(), cards.end(), [&](const Card& card) { return card.gpu == gpu; });
  return found == cards.end() ? nullptr : &*found;
}

std::vector<const Card*> select_cards(const std::string& list) {
  std::vector<std::string> names;
  for (const Card& card : all_cards()) names.push_back(card.name);
  std::vector<const Card*> chosen;
  const auto add = [&](const Card& card) {
    if (std::find(chosen.begin(), chosen.end(), &card) == chosen.end()) chosen.push_back(&card);
  };
  for (const std::string& text : split(list, ',')) {
    bool is_known = text == "all";
    for (const Card& card : all_cards()) {
      if (text != "all" && text != card.name) continue;
      add(card);
      is_known = true;
    }
    if (!is_known) {
      throw UsageError("--predict=" + list + ": the GPU " + text + " is not known; " + join(names) + " and all are");
    }
  }
  return chosen;
}

int resident_ctas(const Card& card, int registers, int smem_bytes, int threads) {
  constexpr int sub_cores = 4;
  constexpr int registers_of_sub_core = 16384;  // of 32 bits
  constexpr int allocated_together = 256;       // registers of a warp
  constexpr int threads_of_sm = 1536;           // on sm_86; more elsewhere, which these kernels do not reach
  constexpr int system_bytes = 1024;            // of shared memory, in each CTA
  const int of_warp = (registers * 32 + allocated_together - 1) / allocated_together * allocated_together;
  const int warps_of_sub_core = registers_of_sub_core / std::max(of_warp, 1);
  const int warps = (threads + 31) / 32;
  return std::min({warps_of_sub_core * sub_cores / warps, card.smem_bytes_per_sm / (smem_bytes + system_bytes),
                   threads_of_sm / threads});
}

}  // namespace flash_steps
