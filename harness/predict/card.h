// The GPUs whose times can be predicted: what of them is not the same for all of an architecture.
#pragma once

#include <string>
#include <vector>

#include "harness/model/rates.h"

namespace flash_steps {

struct Card {
  std::string name;  ///< as in --predict=a100
  std::string gpu;   ///< "A100"
  std::string arch;
  int sm_count;
  int smem_bytes_per_sm;  ///< that CTAs can share, 1 KiB of the system's for each CTA included
  double l2_bytes;        ///< its size
  double dram_gb_per_s;   ///< at the memory clock of the runs that it is compared with
  double lowest_mhz;      ///< the range of SM clocks that is taken for a clock of this card
  double highest_mhz;

  const Rates& rates() const { return *rates_of(arch); }
};

/// card.cpp names the source of each figure.
const std::vector<Card>& all_cards();

/// The card of a GPU such as "RTX 3090"; nullptr if it is not known.
const Card* card_of(const std::string& gpu);

/// Of a list such as "a100,h100", each once, in its order; "all" are all. Throws UsageError that names those known.
std::vector<const Card*> select_cards(const std::string& list);

/// CTAs that an SM of the card holds at a time, by registers, shared memory and threads; 0: none fits.
int resident_ctas(const Card& card, int registers, int smem_bytes, int threads);

}  // namespace flash_steps
