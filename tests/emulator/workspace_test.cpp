// What a workspace adds: bytes that nobody wrote, and CTAs of one launch that read what others of it write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/hazard_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A workspace of 2 KiB between the launches of a kernel, which remembers what was written.
class Workspace : public HazardTest {
 protected:
  LaunchReport launch_ctas(int ctas, const std::function<void()>& body, int host_threads = 1) {
    GlobalBuffer workspace = memory_.view();
    workspace.written = &written_;
    return launch({.grid_x = ctas, .buffers = {in_.view(), workspace}, .host_threads = host_threads}, body);
  }

  uint32_t* word(unsigned i) const { return memory_.as<uint32_t>() + i; }

  TestBuffer memory_{"workspace", 2048, true};
  std::vector<bool> written_ = std::vector<bool>(2048 / Accesses::cell_bytes);
};

TEST_F(Workspace, AReadOfWhatNobodyWrote) {
  const LaunchReport report = launch_ctas(1, [&] {
    st_global_4(word(threadIdx.x), 1);
    late = __LINE__ + 1;
    ld_global_4(word(threadIdx.x + 1));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_read_of_unwritten));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 31: ld_global_4" + at(late) +
                                 " reads byte 128 of workspace, which neither an earlier launch nor this CTA has "
                                 "written: write it before the read.");
}

TEST_F(Workspace, WhatTheCtaItselfWroteMayBeRead) {
  EXPECT_THAT(launch_ctas(
                  4,
                  [&] {
                    st_global_4(word(blockIdx.x * 32 + threadIdx.x), 1);
                    ld_global_4(word(blockIdx.x * 32 + threadIdx.x));
                  },
                  2)
                  .hazards,
              IsEmpty());
}

TEST_F(Workspace, WhatAnEarlierLaunchWroteMayBeReadByAll) {
  EXPECT_THAT(launch_ctas(
                  2, [&] { st_global_4(word(blockIdx.x * 32 + threadIdx.x), 1); }, 2)
                  .hazards,
              IsEmpty());
  EXPECT_THAT(launch_ctas(
                  4, [&] { ld_global_4(word(threadIdx.x)); }, 2)
                  .hazards,
              IsEmpty());
  EXPECT_THAT(kinds(launch_ctas(1, [&] { ld_global_4(word(64 + threadIdx.x)); })),
              ElementsAre(HazardKind::global_read_of_unwritten));
}

TEST_F(Workspace, AChunkOfWhichOneWordIsMissing) {
  launch_ctas(1, [&] {
    for (unsigned i = 0; i < 4; i++) st_global_4(word(threadIdx.x * 4 + i), 1);
  });
  written_[7] = false;
  EXPECT_THAT(kinds(launch_ctas(1, [&] { ld_global_16(word(threadIdx.x * 4)); })),
              ElementsAre(HazardKind::global_read_of_unwritten));
}

// Whichever of them comes first here: on a GPU either may.
TEST_F(Workspace, AReadOfWhatAnotherCtaOfTheLaunchWrites) {
  const auto report_of = [&](unsigned reader, int host_threads) {
    written_.assign(written_.size(), true);
    return launch_ctas(
        2,
        [&, reader] {
          if (blockIdx.x == reader) {
            late = __LINE__ + 1;
            ld_global_4(word(threadIdx.x));
          } else {
            early = __LINE__ + 1;
            st_global_4(word(threadIdx.x), 1);
          }
        },
        host_threads);
  };
  for (const int host_threads : {1, 2}) {
    const LaunchReport after = report_of(1, host_threads);
    EXPECT_THAT(kinds(after), ElementsAre(HazardKind::global_read_conflict));
    EXPECT_EQ(message(after), "CTA (1, 0, 0), warp 0, lane 0: ld_global_4" + at(late) +
                                  " reads byte 0 of workspace, which st_global_4" + at(early) +
                                  " (warp 0, lane 0) of CTA (0, 0, 0) writes in the same launch, before it or after "
                                  "it: let a second launch read it.");
    EXPECT_THAT(kinds(report_of(0, host_threads)), ElementsAre(HazardKind::global_read_conflict));
  }
}

TEST_F(Workspace, ACtaThatReadsItsOwnWordWhichAnotherWritesToo) {
  const LaunchReport report = launch_ctas(2, [&] {
    st_global_4(word(threadIdx.x), 1);
    ld_global_4(word(threadIdx.x));
  });
  EXPECT_THAT(kinds(report),
              testing::UnorderedElementsAre(HazardKind::global_write_conflict, HazardKind::global_read_conflict));
}

TEST_F(Workspace, InputsMayBeReadByAllAndAreNeverUnwritten) {
  EXPECT_THAT(launch_ctas(
                  3, [&] { ld_global_4(in_.as<uint32_t>() + threadIdx.x); }, 3)
                  .hazards,
              IsEmpty());
}

}  // namespace
}  // namespace flash_steps::emulator
