#include "harness/gpu/memory_need.h"

#include "harness/base/text.h"
#include "harness/gpu/truth/gradients.h"
#include "harness/gpu/truth/reference.h"
#include "harness/machine/device.h"

namespace flash_steps {
namespace {

// The largest value in [1, most] for which fits() holds, or 0; it holds up to some value and not beyond.
template <typename Fits>
int largest(int64_t most, const Fits& fits) {
  int64_t low = 0;
  int64_t high = most;
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (fits(static_cast<int>(middle))) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return static_cast<int>(low);
}

// And of L, which only some write.
int64_t workspace_bytes(const Problem& problem, const Variant* variant) {
  if (variant == nullptr) return 0;
  return lse_bytes(*variant, problem) + (variant->workspace_bytes ? variant->workspace_bytes(problem) : 0);
}

// Where the problem alone does not fit, the bytes of a workspace may be more than 64 bits count.
bool fits(const Problem& problem, bool with_reference, double free_bytes, const Variant* variant) {
  const double need = memory_need(problem, with_reference);
  return need <= free_bytes && need + workspace_bytes(problem, variant) <= free_bytes;
}

// What to change on the command line, least first.
std::string what_would_fit(Problem problem, bool with_reference, double free_bytes, const Variant* variant) {
  const auto largest_fitting = [&](int Problem::*size, int unit) {
    return unit * largest(problem.*size / unit, [&](int value) {
             Problem smaller = problem;
             smaller.*size = value * unit;
             return fits(smaller, with_reference, free_bytes, variant);
           });
  };
  std::string options;
  const auto shrink = [&](const char* option, int Problem::*size, int unit) {
    const int fitting = largest_fitting(size, unit);
    problem.*size = fitting > 0 ? fitting : unit;
    if (!options.empty()) options += " ";
    options.append(option).append("=").append(std::to_string(problem.*size));
    return fitting > 0;
  };
  constexpr int seqlen_unit = 128;  // a multiple of every tile
  const bool any_fits = shrink("--batch", &Problem::batch, 1) || shrink("--heads", &Problem::heads, 1) ||
                        shrink("--seqlen", &Problem::seqlen, seqlen_unit);
  return any_fits ? options + " would fit" : "more free memory would help";
}

}  // namespace

double memory_need(const Problem& problem, bool with_reference) {
  const double rows = double(problem.batch) * problem.heads * problem.seqlen;
  const double elements = rows * problem.head_dim;
  const double kv_elements = double(problem.batch) * problem.key_heads() * problem.keys() * problem.head_dim;
  const double scratch = static_cast<double>(reference_scratch_limit(problem.keys()));
  double bytes = 2 * (elements + kv_elements) * sizeof(uint16_t);  // Q and O, K and V
  if (problem.pass == Pass::forward) return bytes + (with_reference ? (elements + rows) * sizeof(float) + scratch : 0);
  // dO and dQ, dK and dV, and L. O of the forward pass is made in any case, in fp32 and as ref16.
  bytes += 2 * (elements + kv_elements) * sizeof(uint16_t) + rows * sizeof(float);
  bytes += elements * (sizeof(float) + sizeof(uint16_t)) + scratch;
  return bytes + (with_reference ? (elements + 2 * kv_elements) * sizeof(float) + rows * gradients_scratch_of_row : 0);
}

std::optional<std::string> memory_refusal(const Problem& problem, bool with_reference, int64_t free_bytes,
                                          const Variant* variant) {
  // CUDA rounds allocations up, and wants some memory for itself when it loads kernels.
  constexpr double headroom = 64.0 * 1024 * 1024;
  const double usable = free_bytes - headroom;
  if (fits(problem, with_reference, usable, variant)) return std::nullopt;
  double need = memory_need(problem, with_reference);
  std::string workspace;
  if (need <= usable) {
    const int64_t bytes = workspace_bytes(problem, variant);
    workspace = ", since its workspace has " + readable_bytes(bytes) + ",";
    need += bytes;
  }
  return "batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) + ", seqlen " +
         std::to_string(problem.seqlen) + " needs " + readable_bytes(need) + " of GPU memory" + workspace + " and " +
         readable_bytes(free_bytes) + " are free; " + what_would_fit(problem, with_reference, usable, variant);
}

}  // namespace flash_steps
