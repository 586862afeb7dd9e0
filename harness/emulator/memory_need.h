// How much of the host's memory the emulator takes for a problem.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/contract/problem.h"

namespace flash_steps {

/// The most bytes that making, running and (with_reference) checking a problem hold at one time, besides what a kernel
/// asks for.
int64_t emulator_memory_need(const Problem& problem, bool with_reference);

/// Why this machine's memory does not suffice, as a sentence that says what would work; nothing if it does, or if
/// nobody knows.
std::optional<std::string> emulator_memory_refusal(const Problem& problem, bool with_reference);

/// A field of /proc/meminfo in bytes; 0 where there is none.
int64_t memory_info(const std::string& field);

}  // namespace flash_steps
