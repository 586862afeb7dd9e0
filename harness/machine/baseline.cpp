#include "harness/machine/baseline.h"

namespace flash_steps {
namespace {

// A sequence that has no query or no key.
bool has_empty_sequence(const Problem& problem) {
  for (int s = 0; s < problem.batch; s++) {
    if (problem.queries_of(s) == 0 || problem.keys_of(s) == 0) return true;
  }
  return false;
}

bool has_query_without_keys(const Problem& problem) {
  for (int s = 0; s < problem.batch; s++) {
    if (problem.visible_keys(0, s) == 0) return true;
  }
  return false;
}

}  // namespace

const char* name_of(Baseline baseline) {
  switch (baseline) {
    case Baseline::fa2:
      return "fa2";
    case Baseline::cudnn:
      return "cudnn";
    case Baseline::standard:
      return "standard";
    case Baseline::pytorch:
      return "pytorch";
  }
  return "?";
}

std::optional<std::string> refusal(Baseline baseline, const Problem& problem) {
  const std::string name = name_of(baseline);
  if (problem.pass == Pass::both) {
    return name + " is run forward or backward, and not both; --pass=forward and --pass=backward would work";
  }
  const bool is_unfused = baseline == Baseline::standard || baseline == Baseline::pytorch;
  if (is_unfused && has_empty_sequence(problem)) {
    return name + " is run on sequences with a query and a key at least; less --padding would work";
  }
  if (baseline == Baseline::cudnn && problem.dropout != 0) {
    return "cudnn draws a dropout mask of its own, of which the reference knows nothing; fa2, standard and pytorch "
           "would work";
  }
  if (baseline == Baseline::cudnn && problem.padding != 0) {
    return "cudnn is run without padding alone; fa2, standard and pytorch would work";
  }
  if (baseline == Baseline::cudnn && problem.mask == Mask::causal && problem.keys() != problem.seqlen) {
    return "cudnn aligns a causal mask at the first key and not at the last, which is the same for as many keys as "
           "queries alone";
  }
  if (baseline == Baseline::pytorch && has_query_without_keys(problem)) {
    return "pytorch makes no number of the softmax of a query that attends to no key; standard would work";
  }
  return std::nullopt;
}

}  // namespace flash_steps
