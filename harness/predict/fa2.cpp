#include "harness/predict/fa2.h"

namespace flash_steps {

std::optional<Fa2Speed> fa2_speed(const Card& card, int seqlen, const Published& published,
                                  const std::vector<Sweep>& sweeps) {
  for (const PublishedColumn& column : published.columns) {
    if (column.gpu == card.gpu && !column.is_mean && seqlen == table_seqlen) return fa2_speed(column);
  }
  for (const Sweep& sweep : sweeps) {
    if (sweep.gpu == card.gpu && sweep.dtype == Dtype::fp16) return fa2_speed(sweep, seqlen);
  }
  return std::nullopt;
}

double usual_clock_mhz(const Card& card, int seqlen, const Published& published, const std::vector<Sweep>& sweeps) {
  for (const int length : {seqlen, table_seqlen}) {
    if (const auto fa2 = fa2_speed(card, length, published, sweeps)) return fa2->sm_clock_mhz;
  }
  return card.highest_mhz;
}

}  // namespace flash_steps
