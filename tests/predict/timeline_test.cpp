// A few tiles as a timeline, as a file for Perfetto and as a picture.
#include "harness/predict/timeline.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/file.h"
#include "harness/contract/source.h"
#include "harness/predict/picture.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;
using testing::Not;

const Predictor& predictor() {
  static const Predictor predictor = read_predictor();
  return predictor;
}

Timeline timeline_on(const std::string& card, const std::string& kernel, int tiles = 1) {
  const TileShape& tile = find_kernel(kernel)->emulator().front().tile;
  return timeline_of(predictor(), kernel, tile, *select_cards(card).front(), tiles);
}

const TimelineTrack& track(const Timeline& timeline, const std::string& name) {
  return *std::find_if(timeline.tracks.begin(), timeline.tracks.end(),
                       [&](const TimelineTrack& candidate) { return candidate.name == name; });
}

int64_t products(const TimelineTrack& track) {
  return std::count_if(track.spans.begin(), track.spans.end(),
                       [](const TimelineSpan& span) { return span.unit == Unit::tensor; });
}

TEST(Timeline, HasAWarpOfEachCtaAndThePipes) {
  std::vector<std::string> names;
  for (const TimelineTrack& track : timeline_on("h100", "02_swizzling").tracks) names.push_back(track.name);
  EXPECT_THAT(names, testing::ElementsAre("warp of CTA 0", "warp of CTA 1", "warp of CTA 2", "tensor", "FMA", "ALU",
                                          "MUFU", "shared memory", "copied data"));
}

TEST(Timeline, OfATrackNothingOverlapsAndNothingLiesOutside) {
  for (const char* card : {"a100", "rtx3090", "h100"}) {
    const Timeline timeline = timeline_on(card, "16_static_stride", 2);
    for (const TimelineTrack& track : timeline.tracks) {
      int64_t free = 0;
      for (const TimelineSpan& span : track.spans) {
        EXPECT_GE(span.begin, free) << card << " " << track.name;
        EXPECT_GE(span.cycles, 1);
        EXPECT_LT(span.begin, timeline.cycles);
        free = span.begin + span.cycles;
      }
    }
  }
}

TEST(Timeline, TheFirstWarpIssuesAllOfItsTile) {
  const Timeline one = timeline_on("h100", "02_swizzling"), two = timeline_on("h100", "02_swizzling", 2);
  const TileShape& tile = find_kernel("02_swizzling")->emulator().front().tile;
  const Schedule schedule = predictor().prepare("02_swizzling", tile, *select_cards("h100").front()).cta.schedule(12);
  const auto in_loop = std::count_if(schedule.loop.begin(), schedule.loop.end(),
                                     [](const Step& step) { return step.unit == Unit::tensor; });
  EXPECT_EQ(products(one.tracks.front()), in_loop);
  EXPECT_EQ(products(two.tracks.front()), 2 * in_loop);
}

TEST(Timeline, EachInstructionNamesALineOfTheKernel) {
  const Timeline timeline = timeline_on("a100", "09_register_moves");
  const std::vector<std::string> source = read_lines(*find_source(*find_kernel("09_register_moves")));
  bool any_product = false;
  for (const TimelineSpan& span : timeline.tracks.front().spans) {
    ASSERT_GE(span.line, 1) << span.name;
    ASSERT_LE(span.line, static_cast<int>(source.size())) << span.name;
    if (span.unit != Unit::tensor) continue;
    any_product = true;
    EXPECT_THAT(source[static_cast<size_t>(span.line) - 1], HasSubstr("mma_m16n8k16")) << span.line;
  }
  EXPECT_TRUE(any_product);
}

TEST(Timeline, WhatACopyBringsComesThroughSharedMemory) {
  const Timeline timeline = timeline_on("h100", "03_eager_loads");
  EXPECT_GT(track(timeline, "copied data").spans.size(), 50u);
  for (const TimelineSpan& span : track(timeline, "shared memory").spans) EXPECT_NE(span.name, "copied data");
}

TEST(Timeline, AsAFileItIsReadByPerfetto) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "timeline.json";
  write_timeline(timeline_on("h100", "02_swizzling"), file);
  const auto json = nlohmann::json::parse(read_file(file));
  std::filesystem::remove(file);
  int spans = 0, names = 0;
  for (const auto& event : json.at("traceEvents")) {
    spans += event.at("ph") == "X" ? 1 : 0;
    names += event.at("name") == "thread_name" ? 1 : 0;
    if (event.at("ph") == "X") {
      EXPECT_TRUE(event.at("ts").is_number_integer() && event.at("dur").get<int>() > 0);
    }
  }
  EXPECT_EQ(names, 9);
  EXPECT_GT(spans, 1000);
}

TEST(Timeline, AsAPictureItIsTheSameEveryTime) {
  const std::string picture = timeline_svg(timeline_on("h100", "02_swizzling"));
  EXPECT_EQ(picture, timeline_svg(timeline_on("h100", "02_swizzling")));
  EXPECT_THAT(picture, testing::StartsWith("<svg "));
  EXPECT_THAT(picture, HasSubstr("02_swizzling: one tile"));
  EXPECT_THAT(picture, Not(HasSubstr("nan")));
  EXPECT_NE(picture, timeline_svg(timeline_on("h100", "03_eager_loads")));
}

}  // namespace
}  // namespace flash_steps
