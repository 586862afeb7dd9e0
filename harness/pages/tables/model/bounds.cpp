#include "harness/pages/tables/model/bounds.h"

#include "harness/base/text.h"

namespace flash_steps {

std::optional<double> BoundColumn::percent(const Kernel& kernel, const StoredBounds& bounds) const {
  if (!fa2) return std::nullopt;
  const auto highest = bounds.highest(kernel, *fa2->rates);
  return highest ? std::optional(fa2->percent(highest->bound.percent_of_peak)) : std::nullopt;
}

std::string bounds_note(const std::vector<BoundColumn>& columns) {
  std::vector<std::string> speeds, open;
  for (const BoundColumn& column : columns) {
    if (column.fa2) {
      speeds.push_back(fixed(column.fa2->percent_of_peak(), 1) + " % on " + column.name + " (of " +
                       fixed(column.fa2->peak_tflops, 1) + " TFLOP/s at " + fixed(column.fa2->sm_clock_mhz, 0) +
                       " MHz)");
    } else {
      open.push_back(column.name);
    }
  }
  std::string note =
      "- Bound: what the busiest pipe of an SM allows the config with the highest bound, in percent of "
      "FlashAttention-2 at seqlen " +
      std::to_string(table_seqlen) + "; against its mean, which is lower, it is higher.";
  if (!speeds.empty()) {
    note += " FlashAttention-2's own products reached this much of what `mma.sync` could at the SM clock of the run: " +
            join(speeds) + ".";
  }
  if (!open.empty()) {
    note += " None for " + join(open) +
            ": FlashAttention-2 was not timed there at this length, or the rates of the architecture are not known.";
  }
  return note + "\n";
}

}  // namespace flash_steps
