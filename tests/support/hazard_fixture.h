// A CTA of a tiny kernel between two buffers, and what it is caught at.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <source_location>
#include <string>
#include <vector>

#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {

inline int early = 0;
inline int late = 0;

// A line of the file that asks, as a hazard's message has it.
inline std::string at(int line, const std::source_location& here = std::source_location::current()) {
  return " at " + std::filesystem::path(here.file_name()).filename().string() + ":" + std::to_string(line);
}

inline std::vector<HazardKind> kinds(const LaunchReport& report) {
  std::vector<HazardKind> list;
  for (const Hazard& hazard : report.hazards) list.push_back(hazard.kind);
  return list;
}

inline std::string message(const LaunchReport& report, size_t i = 0) {
  return i < report.hazards.size() ? to_string(report.hazards[i]) : "no hazard";
}

// The thread's own chunk, word by word.
inline void store_chunk(uint32_t address) {
  for (uint32_t i = 0; i < 4; i++) st_shared_4(address + i * 4, i);
}

class HazardTest : public testing::Test {
 protected:
  HazardTest() { early = late = 0; }

  LaunchReport run(int threads, const std::function<void()>& body) {
    return run_cta(threads, 4096, {in_.view(), out_.view()}, body);
  }

  // The thread's chunk of the input.
  const Chunk* source() const { return in_.as<Chunk>() + threadIdx.x; }

  TestBuffer in_{"k", 8192, false};
  TestBuffer out_{"o", 8192, true};
};

}  // namespace flash_steps::emulator
