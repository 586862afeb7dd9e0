// The timeline in a browser shows what the predictor's recorder wrote down.
#include "harness/predict/timeline.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "tests/site/browsed_site.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class TimelineInBrowser : public AnInstrumentInBrowser {
 protected:
  // A tile as the predictor's recorder wrote it down.
  static Timeline recorded(const std::string& step, const Card& card) {
    static const Predictor predictor = read_predictor();
    const std::string config = shown_config(step, card);
    return timeline_of(predictor, step, predictor.code().find(step, config, card.arch)->tile, card, 1);
  }

  static std::string shown_config(const std::string& step, const Card& card) {
    return browser().evaluate("data.timelines.find((one) => one.step === '" + step + "' && one.gpu === '" + card.gpu +
                              "').config");
  }

  static std::string under_cursor(const std::string& step, const Card& card, const std::string& track, int64_t at) {
    choose({{"step", step}, {"gpu", card.gpu}, {"track", track}, {"zoom", "4"}, {"at", std::to_string(at)}});
    EXPECT_TRUE(browser().wait_for("now.spans")) << step << " " << card.gpu;
    return shown("#under strong");
  }

  static std::string described(const TimelineSpan& span) {
    return span.name + " " + std::to_string(span.begin) + " " + std::to_string(span.cycles) + " " +
           std::to_string(span.line);
  }
};

TEST_F(TimelineInBrowser, UnderTheCursorIsWhatTheRecorderWroteDown) {
  open("timeline.html", "");
  int cases = 0;
  for (const char* step : {"01_base", "03_eager_loads", "16_static_stride"}) {
    for (const Card* card : select_cards("a100,rtx3090,h100")) {
      for (const TimelineTrack& track : recorded(step, *card).tracks) {
        const TimelineSpan& span = track.spans[track.spans.size() / 3];
        EXPECT_EQ(under_cursor(step, *card, track.name, span.begin + span.cycles / 2), described(span))
            << step << " " << card->gpu << " " << track.name;
        cases++;
        const TimelineSpan& next = track.spans[track.spans.size() / 3 + 1];
        const int64_t end = span.begin + span.cycles;
        if (next.begin == end) continue;
        EXPECT_EQ(under_cursor(step, *card, track.name, end),
                  "- " + std::to_string(end) + " " + std::to_string(next.begin - end) + " 0");
        cases++;
      }
    }
  }
  EXPECT_GE(cases, 60);
  EXPECT_THAT(browser().errors(), IsEmpty());
}

TEST_F(TimelineInBrowser, KeysGoFromInstructionToInstructionAndZoom) {
  const Card& card = *select_cards("h100").front();
  const Timeline timeline = recorded("02_swizzling", card);
  const std::vector<TimelineSpan>& warp = timeline.tracks.front().spans;
  open("timeline.html", "step=02_swizzling&at=" + std::to_string(warp[5].begin));
  ASSERT_TRUE(browser().wait_for("now.spans"));
  const auto press = [](const std::string& key) {
    browser().evaluate("document.getElementById('timeline').dispatchEvent(new KeyboardEvent('keydown', { key: '" + key +
                       "', cancelable: true }))");
  };
  EXPECT_EQ(shown("#under strong"), described(warp[5]));
  press("ArrowRight");
  EXPECT_EQ(shown("#under strong"), described(warp[6]));
  press("ArrowLeft");
  press("ArrowLeft");
  EXPECT_EQ(shown("#under strong"), described(warp[4]));
  press("End");
  EXPECT_EQ(shown("#under strong"), described(warp.back()));
  press("ArrowDown");
  EXPECT_EQ(browser().evaluate("document.getElementById('choice-track').value"), timeline.tracks[1].name);
  press("+");
  EXPECT_EQ(browser().evaluate("document.getElementById('choice-zoom').value"), "2");
  EXPECT_TRUE(browser().evaluate("location.hash.includes('zoom=2')"));
}

TEST_F(TimelineInBrowser, AnInstructionLeadsToItsLine) {
  open("timeline.html", "step=09_register_moves&track=tensor");
  ASSERT_TRUE(browser().wait_for("now.spans"));
  browser().evaluate(
      "document.getElementById('timeline').dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }))");
  const Timeline timeline = recorded("09_register_moves", *select_cards("h100").front());
  const auto tensor = std::find_if(timeline.tracks.begin(), timeline.tracks.end(),
                                   [](const TimelineTrack& track) { return track.name == "tensor"; });
  const std::string line = std::to_string(tensor->spans.front().line);
  EXPECT_EQ(browser().evaluate("document.querySelector('#under a').getAttribute('href')"),
            "../09_register_moves.html#L" + line);
  EXPECT_THAT(projects_site().files.at("09_register_moves.html"), HasSubstr("id=\"L" + line + "\""));
  const std::string source = browser().evaluate("document.querySelector('#under code').textContent");
  EXPECT_THAT(source, HasSubstr("mma_m16n8k16"));
}

TEST_F(TimelineInBrowser, ThePicturesOfThePagesLeadToIt) {
  int pictures = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FLASH_STEPS_SOURCE_DIR "/docs/img/timelines")) {
    const std::string step = entry.path().stem().string();
    EXPECT_THAT(projects_site().files.at(step + ".html"), HasSubstr("href=\"instruments/timeline.html#step=" + step))
        << entry.path();
    pictures++;
  }
  EXPECT_GE(pictures, 5);
}

}  // namespace
}  // namespace flash_steps
