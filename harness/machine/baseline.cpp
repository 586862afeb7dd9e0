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
  const std::string name = name_of(baseline);
  if (problem.pass != Pass::forward && baseline != Baseline::fa2) return name + " is run forward alone; fa2 would work";
  if (problem.pass == Pass::both) return name + " is run forward or backward, and not both";
  if (problem.pass == Pass::backward && problem.padding != 0) return name + " is run backward without padding alone";
  if (baseline != Baseline::fa2 && (problem.dropout != 0 || problem.padding != 0)) {
    return name + " is run without dropout and padding alone; fa2 would work";
  }
  const bool same_lengths = problem.keys() == problem.seqlen;
  if (baseline == Baseline::cudnn && problem.mask == Mask::causal && !same_lengths) {
    return "cudnn aligns a causal mask at the first key and not at the last, which is the same for as many keys as "
           "queries alone";
  }
  if (baseline == Baseline::standard &&
      (problem.mask != Mask::none || !same_lengths || problem.key_heads() != problem.heads)) {
    return "standard is run without a mask, on as many keys and heads of keys as there are of queries";
  }
  return std::nullopt;
}

}  // namespace flash_steps
