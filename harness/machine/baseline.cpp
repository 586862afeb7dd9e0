#include "harness/machine/baseline.h"

namespace flash_steps {

const char* name_of(Baseline baseline) {
  switch (baseline) {
    case Baseline::fa2:
      return "fa2";
    case Baseline::cudnn:
      return "cudnn";
    case Baseline::standard:
      return "standard";
  }
  return "?";
}

std::optional<std::string> refusal(Baseline baseline, const Problem& problem) {
  Problem plain = problem;
  plain.seqlen_kv = plain.kv_heads = 0;
  plain.mask = Mask::none;
  plain.dropout = 0;
  plain.padding = 0;
  plain.pass = Pass::forward;
  if (plain == problem) return std::nullopt;
  return std::string(name_of(baseline)) +
         " is run forward alone, without a mask, dropout and padding, on as many keys and heads of keys as there are "
         "of queries";
}

}  // namespace flash_steps
