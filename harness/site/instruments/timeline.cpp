#include "harness/site/instruments/timeline.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/json.h"
#include "harness/base/parallel.h"
#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/predict/picture.h"
#include "harness/site/book/book.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

constexpr const char* timeline_file = "instruments/timeline.html";

// The first of each architecture.
std::vector<const Card*> shown_cards() {
  std::vector<const Card*> cards;
  std::set<std::string> archs;
  for (const Card& card : all_cards()) {
    if (archs.insert(card.arch).second) cards.push_back(&card);
  }
  return cards;
}

std::string spans_file(const StepTimeline& one) {
  return "timelines/" + one.kernel->name + "." + one.card->name + ".js";
}

// How a span is drawn: what it says, and the place of its kind among span_kinds(), −1 for one that has no colour.
using SpanLook = std::pair<std::string, int>;

SpanLook look_of(const TimelineSpan& span) {
  const SpanKind* const kind = kind_of(span.unit);
  return {span.name, kind == nullptr ? -1 : static_cast<int>(kind - span_kinds().data())};
}

// The line, and those that its statement goes on in.
std::string statement_at(const std::vector<std::string>& source, size_t line) {
  std::string text = trimmed(source[line - 1]);
  while (line < source.size() && (text.ends_with(',') || text.ends_with('(') || text.ends_with('='))) {
    text += " " + trimmed(source[line++]);
  }
  return text;
}

// Each span is four numbers: the cycles from the end of the one before, its own, its look and its line.
std::string spans_script(const StepTimeline& one) {
  std::vector<SpanLook> looks;
  std::set<int> used;
  Json tracks = Json::array();
  for (const TimelineTrack& track : one.timeline.tracks) {
    Json numbers = Json::array();
    int64_t end = 0;
    for (const TimelineSpan& span : track.spans) {
      const SpanLook look = look_of(span);
      auto found = std::find(looks.begin(), looks.end(), look);
      if (found == looks.end()) found = looks.insert(found, look);
      for (const int64_t number : {span.begin - end, span.cycles, found - looks.begin(), int64_t{span.line}}) {
        numbers.push_back(number);
      }
      end = span.begin + span.cycles;
      used.insert(span.line);
    }
    tracks.push_back(numbers);
  }
  const auto file = find_source(*one.kernel);
  const std::vector<std::string> source = file ? read_lines(*file) : std::vector<std::string>();
  Json lines = Json::object();
  for (const int line : used) {
    if (line >= 1 && line <= static_cast<int>(source.size()))
      lines[std::to_string(line)] = statement_at(source, static_cast<size_t>(line));
  }
  return "timelineSpans(" +
         text_of(Json{{"file", spans_file(one)}, {"looks", looks}, {"lines", lines}, {"tracks", tracks}}, -1) + ");\n";
}

// The share of the tile in which something is on a track; what goes on after it does not count.
double busy_share(const TimelineTrack& track, int64_t cycles) {
  int64_t busy = 0;
  for (const TimelineSpan& span : track.spans) busy += std::min(span.cycles, cycles - span.begin);
  return static_cast<double>(busy) / static_cast<double>(cycles);
}

std::string share_row(const StepTimeline& one) {
  const Timeline& timeline = one.timeline;
  std::string row = "<tr><th scope=\"row\"><a href=\"" +
                    escaped(address_from(timeline_file, site_file(one.kernel->page_path()))) + "\">" +
                    escaped(one.kernel->name) + "</a></th><td>" + escaped(timeline.gpu) + "</td><td>" +
                    escaped(timeline.config) + "</td>";
  const auto warps =
      std::count_if(timeline.tracks.begin(), timeline.tracks.end(), [](const auto& t) { return !t.is_pipe; });
  for (const std::string& cell : {std::to_string(warps), grouped(static_cast<uint64_t>(timeline.cycles))}) {
    row += "<td class=\"right\">" + cell + "</td>";
  }
  for (const TimelineTrack& track : timeline.tracks) {
    if (track.is_pipe) row += "<td class=\"right\">" + fixed(100 * busy_share(track, timeline.cycles), 0) + "</td>";
  }
  return row + "</tr>\n";
}

std::string share_table(const std::vector<StepTimeline>& timelines) {
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"All tiles\"><table>\n<thead><tr>"
      "<th scope=\"col\">step</th><th scope=\"col\">GPU</th><th scope=\"col\">config</th>"
      "<th scope=\"col\" class=\"right\">CTAs</th><th scope=\"col\" class=\"right\">cycles</th>";
  for (const TimelineTrack& track : timelines.front().timeline.tracks) {
    if (track.is_pipe) html += "<th scope=\"col\" class=\"right\">" + escaped(track.name) + ", %</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const StepTimeline& one : timelines) html += share_row(one);
  return html + "</tbody></table></div>\n";
}

std::string timeline_data(const std::vector<StepTimeline>& timelines) {
  Json list = Json::array(), kinds = Json::array();
  for (const SpanKind& kind : span_kinds()) kinds.push_back({kind.name, kind.colour});
  for (const StepTimeline& one : timelines) {
    Json tracks = Json::array();
    for (const TimelineTrack& track : one.timeline.tracks) tracks.push_back(track.name);
    list.push_back({{"step", one.kernel->name},
                    {"gpu", one.timeline.gpu},
                    {"config", one.timeline.config},
                    {"page", address_from(timeline_file, site_file(one.kernel->page_path()))},
                    {"file", spans_file(one)},
                    {"cycles", one.timeline.cycles},
                    {"tracks", tracks}});
  }
  return text_of(Json{{"kinds", kinds}, {"timelines", list}}, -1);
}

std::string timeline_text(const std::vector<StepTimeline>& timelines) {
  const std::string prediction = address_from(timeline_file, site_file("docs/method/prediction.md"));
  std::string html =
      "<article class=\"wide\">\n<h1>The timeline</h1>\n"
      "<p>One tile of a step, cycle by cycle: the warps of a sub-core, one of each CTA that is resident, then its "
      "pipes, and shared memory, which the four sub-cores have together. Nobody can watch a GPU so closely; this is "
      "what <a href=\"" +
      escaped(prediction) + "\">the predictor</a> makes of the step’s machine code.</p>\n";
  if (timelines.empty()) return html + "<p>No machine code is stored that is of today’s kernels.</p>\n</article>\n";
  return html +
         "<noscript><p>It is drawn by a script. The pages of some steps have pictures of it, and the table below has "
         "how "
         "busy the pipes are.</p></noscript>\n"
         "<form class=\"choices\" id=\"choices\"></form>\n"
         "<p class=\"under\" id=\"under\" aria-live=\"polite\"></p>\n"
         "<div id=\"timeline\" tabindex=\"0\" role=\"application\" aria-label=\"Timeline of one tile\" "
         "aria-describedby=\"keys\"></div>\n<ul class=\"legend\" id=\"legend\"></ul>\n"
         "<p class=\"note\" id=\"keys\">Drag to move along, pinch or turn the wheel with Ctrl to zoom, click on an "
         "instruction to keep it. With the keyboard: the arrows go from one instruction to the next and from track to "
         "track, + and − zoom, Home and End go to the tile’s ends.</p>\n"
         "<h2 id=\"all-tiles\">All tiles</h2>\n<p>The cycles that the tile takes one CTA, beside the others, and the "
         "share of them in which each pipe is busy.</p>\n" +
         share_table(timelines) + "</article>\n<script type=\"application/json\" id=\"data\">" +
         script_json(timeline_data(timelines)) + "</script>\n";
}

}  // namespace

std::vector<StepTimeline> step_timelines(const std::vector<Kernel>& kernels, const SiteData& data) {
  std::vector<StepTimeline> timelines;
  std::vector<const TileShape*> tiles;
  for (const Kernel& kernel : kernels) {
    const std::vector<std::string> configs = data.configs_of(kernel.name);
    for (const Card* card : shown_cards()) {
      const auto config = std::find_if(configs.begin(), configs.end(), [&](const std::string& candidate) {
        return data.predictor && data.predictor->has(kernel.name, candidate, *card);
      });
      if (config == configs.end()) continue;
      timelines.push_back({&kernel, card, {}});
      tiles.push_back(&data.predictor->code().find(kernel.name, *config, card->arch)->tile);
    }
  }
  in_parallel(static_cast<int64_t>(timelines.size()), 0, [&](int64_t i) {
    StepTimeline& one = timelines[i];
    one.timeline = timeline_of(*data.predictor, one.kernel->name, *tiles[i], *one.card, 1);
  });
  return timelines;
}

Framed timeline_page(const std::vector<StepTimeline>& timelines, SiteFiles& files) {
  Framed page;
  page.file = timeline_file;
  page.title = "The timeline";
  page.kind = "instrument";
  if (!timelines.empty()) page.scripts = {"instrument.js", "timeline.js"};
  page.in_contents = false;
  page.main = timeline_text(timelines);
  for (const StepTimeline& one : timelines) files[spans_file(one)] = spans_script(one);
  return page;
}

}  // namespace flash_steps
