// How much of the host's memory the emulator takes for a problem.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/contract/problem.h"

namespace flash_steps {

/// The most bytes that making, running and (with_reference) checking a problem hold at one time, with the workspace of
/// a kernel.
int64_t emulator_memory_need(const Problem& problem, bool with_reference, int64_t workspace_bytes = 0);

/// Why this machine's memory does not suffice, as a sentence that says what would work; nothing if it does, or if
/// nobody knows. `held_bytes` of it are taken already.
std::optional<std::string> emulator_memory_refusal(const Problem& problem, bool with_reference,
                                                   int64_t workspace_bytes = 0, int64_t held_bytes = 0);

/// A field of /proc/meminfo in bytes; 0 where there is none.
int64_t memory_info(const std::string& field);

}  // namespace flash_steps
