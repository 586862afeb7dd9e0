// A problem of which only the end is there: its tensors are so large that offsets of their elements need more than 31
// bits, and only the last head of the last sequence is filled and computed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/contract/kernel.h"
#include "harness/truth/judge.h"

namespace flash_steps {

struct FarResult {
  OutputErrors errors;
  std::vector<std::string> hazards;
};

/// The variant, which must cover 16 heads, computes the last head of the last of so many sequences that the first
/// element of that one is beyond number 2³¹. Nothing where the system does not lend so many addresses.
std::optional<FarResult> run_far(const Variant& variant);

/// The problem as text, for reports.
std::string describe_far(const Variant& variant);

/// Whether the variant is of those that can be asked.
bool covers_far(const Variant& variant);

}  // namespace flash_steps
