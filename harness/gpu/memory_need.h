// How much memory of the GPU a problem takes, and what to do where that is too much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/contract/kernel.h"

namespace flash_steps {

/// Bytes of Q, K, V and O, and with_reference of the reference and what its making takes. In floating point, because
/// a command line can ask for more than 2^63.
double memory_need(const Problem& problem, bool with_reference);

/// Why the problem does not fit in `free_bytes`, as a sentence that says what would fit; nothing if it does. With a
/// variant its workspace is wanted as well.
std::optional<std::string> memory_refusal(const Problem& problem, bool with_reference, int64_t free_bytes,
                                          const Variant* variant = nullptr);

}  // namespace flash_steps
