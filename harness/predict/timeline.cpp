#include "harness/predict/timeline.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"

namespace flash_steps {
namespace {

// Passes of the first CTA before the first that is shown, and some behind the last.
constexpr int passes_before = 6;
constexpr int passes_behind = 6;
constexpr int some_tiles = 12;  // which the code of every step makes up of whole passes

struct PipeTrack {
  const char* name;
  std::vector<Unit> units;
};

// Those of a sub-core; behind them come what shared memory is asked for, and the data of copies that it takes in.
const std::vector<PipeTrack>& pipe_tracks() {
  static const std::vector<PipeTrack> tracks{{"tensor", {Unit::tensor}}, {"FMA", {Unit::fp32, Unit::imad}},
                                             {"ALU", {Unit::alu}},       {"MUFU", {Unit::mufu}},
                                             {"shared memory", {}},      {"copied data", {}}};
  return tracks;
}

int pipe_of(Unit unit) {
  const std::vector<PipeTrack>& tracks = pipe_tracks();
  for (size_t i = 0; i < tracks.size(); i++) {
    if (std::count(tracks[i].units.begin(), tracks[i].units.end(), unit) > 0) return static_cast<int>(i);
  }
  return -1;
}

// Writes the first sub-core's warps and pipes down; and when the first CTA's warp on it came to each pass through the
// loop, seen by the loop's first instruction.
class FirstSubCore : public Recorder {
 public:
  FirstSubCore(const Program& program, int resident) : program_(program), loop_start_(program.loop.front().index) {
    for (int slot = 0; slot < resident; slot++) tracks.push_back({"warp of CTA " + std::to_string(slot), false, {}});
    for (const PipeTrack& pipe : pipe_tracks()) tracks.push_back({pipe.name, true, {}});
    first_pipe_ = static_cast<size_t>(resident);
  }

  void issued(int64_t now, int64_t until, int slot, int warp, int cta, const Step& step) override {
    if (warp % 4 != 0) return;
    add(tracks[static_cast<size_t>(slot)], now, now + step.stall, &step);
    const int pipe = pipe_of(step.unit);
    if (pipe >= 0) add(tracks[first_pipe_ + static_cast<size_t>(pipe)], now, until, &step);
    if (cta == 0 && warp == 0 && step.index == loop_start_) passes.push_back(now);
  }

  void served(int64_t begin, int64_t end, int, const Step* step) override {
    add(step == nullptr ? tracks.back() : tracks[tracks.size() - 2], begin, end, step);
  }

  std::vector<TimelineTrack> tracks;
  std::vector<int64_t> passes;

 private:
  // A pipe that takes instructions ahead, and those with two halves, are shown as working one after the other.
  void add(TimelineTrack& track, int64_t begin, int64_t end, const Step* step) {
    if (!track.spans.empty()) begin = std::max(begin, track.spans.back().begin + track.spans.back().cycles);
    const DecodedInstruction* const instruction = step == nullptr ? nullptr : &program_.code[step->index];
    track.spans.push_back({instruction == nullptr ? "copied data" : instruction->opcode, begin,
                           std::max<int64_t>(1, end - begin), instruction == nullptr ? 0 : instruction->line,
                           instruction == nullptr ? Unit::copy : instruction->unit});
  }

  const Program& program_;
  const int loop_start_;
  size_t first_pipe_ = 0;
};

// What lies between two cycles, counted from the first.
TimelineTrack cut(TimelineTrack track, int64_t begin, int64_t end) {
  std::erase_if(track.spans, [&](const TimelineSpan& span) { return span.begin < begin || span.begin >= end; });
  for (TimelineSpan& span : track.spans) span.begin -= begin;
  return track;
}

Json span_json(const TimelineSpan& span, int track) {
  return {{"name", span.name}, {"cat", name_of(span.unit)}, {"ph", "X"},          {"pid", 1},
          {"tid", track},      {"ts", span.begin},          {"dur", span.cycles}, {"args", {{"line", span.line}}}};
}

Json track_json(const char* what, int track, const Json& arguments) {
  return {{"name", what}, {"ph", "M"}, {"pid", 1}, {"tid", track}, {"args", arguments}};
}

}  // namespace

Timeline timeline_of(const Predictor& predictor, const std::string& kernel, const TileShape& tile, const Card& card,
                     int tiles) {
  const Predictor::Prepared prepared = predictor.prepare(kernel, tile, card);
  Schedule schedule = prepared.cta.schedule(some_tiles);
  schedule.work.passes = {{0, passes_before + tiles + passes_behind}};
  FirstSubCore recorder(prepared.cta.program(), prepared.resident);
  run_sm(timings_of(card.rates()), schedule, prepared.resident, prepared.resident, &recorder);
  const int64_t begin = recorder.passes[passes_before], end = recorder.passes[passes_before + tiles];
  Timeline timeline{kernel, tile.config, card.gpu, tiles, end - begin, {}};
  for (const TimelineTrack& track : recorder.tracks) timeline.tracks.push_back(cut(track, begin, end));
  return timeline;
}

void write_timeline(const Timeline& timeline, const std::filesystem::path& file) {
  Json events = Json::array();
  for (size_t i = 0; i < timeline.tracks.size(); i++) {
    const int track = static_cast<int>(i) + 1;
    events.push_back(track_json("thread_name", track, {{"name", timeline.tracks[i].name}}));
    events.push_back(track_json("thread_sort_index", track, {{"sort_index", track}}));
    for (const TimelineSpan& span : timeline.tracks[i].spans) events.push_back(span_json(span, track));
  }
  const std::string head = "{\"displayTimeUnit\": \"ns\", \"otherData\": " +
                           Json({{"kernel", timeline.kernel},
                                 {"config", timeline.config},
                                 {"gpu", timeline.gpu},
                                 {"tiles", timeline.tiles},
                                 {"cycles", timeline.cycles},
                                 {"unit", "1 us is 1 cycle"}})
                               .dump() +
                           ",\n\"traceEvents\": [\n";
  write_file(head + json_lines(events, std::identity{}, "") + "]}\n", file);
}

}  // namespace flash_steps
