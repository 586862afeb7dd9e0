// A timeline as a picture for a page: an SVG of a few kilobytes that fits a light page and a dark one.
#pragma once

#include <string>

#include "harness/predict/timeline.h"

namespace flash_steps {

/// Each track is a row; instructions of one kind that follow each other closely are one bar.
std::string timeline_svg(const Timeline& timeline);

}  // namespace flash_steps
