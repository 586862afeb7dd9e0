#include "harness/predict/picture.h"

#include <algorithm>
#include <map>
#include <vector>

#include "harness/base/text.h"

namespace flash_steps {

const std::vector<SpanKind>& span_kinds() {
  static const std::vector<SpanKind> kinds{
      {"products", "#009e73", {Unit::tensor}},
      {"FMA", "#1a80c4", {Unit::fp32, Unit::imad}},
      {"ALU", "#56b4e9", {Unit::alu}},
      {"MUFU", "#cc79a7", {Unit::mufu}},
      {"loads from shared memory", "#e69f00", {Unit::ldmatrix, Unit::shared_load, Unit::shuffle, Unit::shared_store}},
      {"copies", "#d55e00", {Unit::copy, Unit::commit, Unit::copy_wait}},
      {"barriers", "#767b84", {Unit::barrier}}};
  return kinds;
}

const SpanKind* kind_of(Unit unit) {
  for (const SpanKind& kind : span_kinds()) {
    if (std::count(kind.units.begin(), kind.units.end(), unit) > 0) return &kind;
  }
  return nullptr;
}

namespace {

// In the units of the picture.
constexpr double width = 900, left = 112, right = 12, top = 56, row = 24, bar = 15, bottom = 48;
constexpr double merged = 0.6;  // bars of a kind that are not farther apart are one

struct Bar {
  double begin, end;
};

using Bars = std::map<const SpanKind*, std::vector<Bar>>;

Bars bars_of(const TimelineTrack& track, double scale) {
  Bars bars;
  for (const TimelineSpan& span : track.spans) {
    const SpanKind* const kind = kind_of(span.unit);
    if (kind == nullptr) continue;
    const double begin = left + static_cast<double>(span.begin) * scale;
    const double end = std::min(width - right, begin + static_cast<double>(span.cycles) * scale);
    std::vector<Bar>& of_kind = bars[kind];
    if (!of_kind.empty() && begin - of_kind.back().end < merged) {
      of_kind.back().end = end;
    } else {
      of_kind.push_back({begin, end});
    }
  }
  return bars;
}

std::string text_at(double x, double y, const std::string& text, const std::string& attributes = "") {
  return "<text x=\"" + fixed(x, 0) + "\" y=\"" + fixed(y, 0) + "\"" + attributes + ">" + text + "</text>\n";
}

std::string track_svg(const TimelineTrack& track, double y, double scale) {
  std::string svg = text_at(left - 8, y + 4, track.name, " text-anchor=\"end\"");
  for (const SpanKind& kind : span_kinds()) {  // the order is that of the table, so that the text is always the same
    const Bars bars = bars_of(track, scale);
    const auto found = bars.find(&kind);
    if (found == bars.end()) continue;
    svg += std::string("<path stroke=\"") + kind.colour + "\" d=\"";
    for (const Bar& one : found->second) {
      svg += "M" + fixed(one.begin, 1) + " " + fixed(y, 0) + "h" + fixed(std::max(0.3, one.end - one.begin), 1);
    }
    svg += "\"/>\n";
  }
  return svg;
}

std::string legend_svg(double y) {
  std::string svg;
  double x = left;
  for (const SpanKind& kind : span_kinds()) {
    svg += std::string("<path stroke=\"") + kind.colour + "\" stroke-width=\"9\" d=\"M" + fixed(x, 0) + " " +
           fixed(y, 0) + "h9\"/>\n" + text_at(x + 14, y + 4, kind.name);
    x += 14 + 7 * static_cast<double>(std::string(kind.name).size()) + 16;
  }
  return svg;
}

std::string axis_svg(double y, int64_t cycles, double scale) {
  std::string svg;
  const int64_t step = cycles > 4000 ? 1000 : 500;
  for (int64_t at = 0; at < cycles; at += step) {
    svg += text_at(left + static_cast<double>(at) * scale, y, grouped(static_cast<uint64_t>(at)),
                   " text-anchor=\"middle\"");
  }
  return svg;
}

}  // namespace

std::string timeline_svg(const Timeline& timeline) {
  const double scale = (width - left - right) / static_cast<double>(timeline.cycles);
  const double height = top + row * static_cast<double>(timeline.tracks.size()) + bottom;
  const std::string box = fixed(width, 0) + " " + fixed(height, 0);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + box +
                    "\" role=\"img\">\n<style>text{font:12px " +
                    "-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#767b84}" +
                    "path{fill:none;stroke-width:" + fixed(bar, 0) + "}</style>\n";
  const std::string what = timeline.tiles == 1 ? "one tile" : std::to_string(timeline.tiles) + " tiles";
  svg += text_at(left, 18, timeline.kernel + ": " + what + ", as predicted for the " + timeline.gpu,
                 " style=\"font-size:15px;font-weight:bold\"");
  svg += text_at(left, 38, "a sub-core's warps and pipes, and the SM's shared memory; cycles from left to right");
  double y = top + row / 2;
  for (const TimelineTrack& track : timeline.tracks) {
    svg += track_svg(track, y, scale);
    y += row;
  }
  svg += axis_svg(y + 4, timeline.cycles, scale) + legend_svg(y + 26);
  return svg + "</svg>\n";
}

}  // namespace flash_steps
