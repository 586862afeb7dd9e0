#include "harness/contract/problem.h"

#include "harness/base/text.h"

namespace flash_steps {
namespace {

std::vector<int> starts_of(const Problem& problem, int (Problem::*length_of)(int) const) {
  std::vector<int> starts{0};
  for (int s = 0; s < problem.batch; s++) starts.push_back(starts.back() + (problem.*length_of)(s));
  return starts;
}

}  // namespace

const char* name_of(Dtype dtype) {
  constexpr const char* names[] = {"fp16", "bf16"};
  return names[static_cast<int>(dtype)];
}

const char* name_of(InputDistribution inputs) {
  constexpr const char* names[] = {"normal", "uniform",  "large",    "constant", "onehot",
                                   "tiny",   "negative", "positive", "creeping"};
  return names[static_cast<int>(inputs)];
}

const char* name_of(Mask mask) {
  constexpr const char* names[] = {"none", "causal"};
  return names[static_cast<int>(mask)];
}

const char* name_of(Pass pass) {
  constexpr const char* names[] = {"forward", "backward", "both"};
  return names[static_cast<int>(pass)];
}

const char* name_of(Output output) {
  constexpr const char* names[] = {"o", "lse", "dq", "dk", "dv"};
  return names[static_cast<int>(output)];
}

double Problem::flops() const {
  constexpr double of_pass[] = {1, 2.5, 3.5};
  double pairs = double(batch) * seqlen * keys();  // of a query and a key
  if (padding != 0) {
    pairs = 0;
    for (int s = 0; s < batch; s++) pairs += double(queries_of(s)) * keys_of(s);
  }
  const double products = 4.0 * heads * pairs * head_dim;
  return products * of_pass[static_cast<int>(pass)] * (mask == Mask::causal ? 0.5 : 1);
}

std::vector<int> query_starts(const Problem& problem) { return starts_of(problem, &Problem::queries_of); }

std::vector<int> key_starts(const Problem& problem) { return starts_of(problem, &Problem::keys_of); }

std::string describe(const Problem& problem) {
  std::string text = "batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) +
                     ", seqlen " + std::to_string(problem.seqlen) + ", head_dim " + std::to_string(problem.head_dim) +
                     ", " + name_of(problem.dtype) + ", " + name_of(problem.inputs) + " inputs, seed " +
                     std::to_string(problem.seed);
  if (problem.keys() != problem.seqlen) text += ", " + std::to_string(problem.keys()) + " keys";
  if (problem.key_heads() != problem.heads) text += ", " + std::to_string(problem.key_heads()) + " heads of keys";
  if (problem.mask != Mask::none) text += std::string(", ") + name_of(problem.mask) + " mask";
  if (problem.padding != 0) text += ", padding of up to " + std::to_string(problem.padding);
  if (problem.dropout != 0) text += ", dropout " + significant(problem.dropout, 6);
  if (problem.pass != Pass::forward) text += std::string(", ") + name_of(problem.pass);
  return text;
}

}  // namespace flash_steps
