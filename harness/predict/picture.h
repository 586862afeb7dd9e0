// A timeline as a picture for a page: an SVG of a few kilobytes that fits a light page and a dark one.
#pragma once

#include <string>
#include <vector>

#include "harness/predict/timeline.h"

namespace flash_steps {

/// What is told apart by colour, Okabe and Ito's, as in scripts/plot.py.
struct SpanKind {
  const char* name;
  const char* colour;
  std::vector<Unit> units;
};

const std::vector<SpanKind>& span_kinds();

/// nullptr: of none of these.
const SpanKind* kind_of(Unit unit);

/// Each track is a row; instructions of one kind that follow each other closely are one bar.
std::string timeline_svg(const Timeline& timeline);

}  // namespace flash_steps
