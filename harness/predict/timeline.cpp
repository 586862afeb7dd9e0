#include "harness/predict/timeline.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"

namespace flash_steps {
namespace {

// Tiles of each CTA that are simulated, and those of the first CTA that are shown.
constexpr int tiles = 12;
constexpr int first_shown = 6;
constexpr int shown = 2;

constexpr int process = 1;
constexpr int first_pipe_track = 100;

struct Issue {
  int64_t now;
  int64_t until;
  int slot;
  Step step;
};

// What the first sub-core issues; and when the first CTA's warp on it came to each pass through the loop, seen by the
// loop's first instruction.
class FirstSubCore : public Recorder {
 public:
  explicit FirstSubCore(int loop_start) : loop_start_(loop_start) {}

  void issued(int64_t now, int64_t until, int slot, int warp, int cta, const Step& step) override {
    if (warp % 4 != 0) return;
    issues.push_back({now, until, slot, step});
    if (cta == 0 && warp == 0 && step.index == loop_start_) passes.push_back(now);
  }

  std::vector<Issue> issues;
  std::vector<int64_t> passes;

 private:
  int loop_start_;
};

Json event(const std::string& name, int track, int64_t begin, int64_t length) {
  return {{"name", name}, {"ph", "X"}, {"pid", process}, {"tid", track}, {"ts", begin}, {"dur", length}};
}

Json track_name(int track, const std::string& name) {
  return {{"name", "thread_name"}, {"ph", "M"}, {"pid", process}, {"tid", track}, {"args", {{"name", name}}}};
}

bool is_of_pipe(Unit unit) {
  switch (unit) {
    case Unit::commit:
    case Unit::copy_wait:
    case Unit::barrier:
    case Unit::branch:
    case Unit::exit:
    case Unit::none:
    case Unit::special:
    case Unit::uniform:
      return false;
    default:
      return true;
  }
}

}  // namespace

void write_timeline(const Predictor::Prepared& prepared, const Card& card, const Kernel& kernel,
                    const std::filesystem::path& file) {
  const Schedule schedule = prepared.cta.schedule(tiles);
  FirstSubCore recorder(schedule.loop.front().index);
  run_sm(timings_of(card.rates()), schedule, prepared.resident, prepared.resident, &recorder);
  const size_t first = std::min<size_t>(first_shown, recorder.passes.size() - 1);
  const size_t last = std::min<size_t>(first_shown + shown, recorder.passes.size() - 1);
  const int64_t begin = recorder.passes[first], end = recorder.passes[last];

  Json events = Json::array();
  for (int slot = 0; slot < prepared.resident; slot++) {
    events.push_back(track_name(slot, "warp of CTA " + std::to_string(slot)));
  }
  std::map<Unit, int> tracks;
  std::map<Unit, int64_t> free;  // a pipe serves one after the other, though the memory pipes queue
  for (const Issue& issue : recorder.issues) {
    if (issue.now < begin || issue.now >= end) continue;
    const DecodedInstruction& instruction = prepared.cta.program().code[issue.step.index];
    Json shown_event = event(instruction.opcode, issue.slot, issue.now - begin, issue.step.stall);
    shown_event["args"] = {{"line", instruction.line}};
    events.push_back(shown_event);
    const Unit unit = issue.step.unit;
    if (!is_of_pipe(unit)) continue;
    if (tracks.emplace(unit, first_pipe_track + static_cast<int>(unit)).second) {
      events.push_back(track_name(tracks[unit], name_of(unit)));
    }
    const int64_t start = std::max(issue.now, free[unit]);
    free[unit] = std::max(issue.until, start + 1);
    events.push_back(event(instruction.opcode, tracks[unit], start - begin, free[unit] - start));
  }
  const Json whole = {{"displayTimeUnit", "ns"},
                      {"otherData", {{"kernel", kernel.name}, {"gpu", card.gpu}, {"unit", "1 us is 1 cycle"}}},
                      {"traceEvents", events}};
  write_file(whole.dump() + "\n", file);
}

}  // namespace flash_steps
