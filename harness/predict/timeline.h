// A few tiles as a timeline in the Chrome trace format, which Perfetto (ui.perfetto.dev) and chrome://tracing open: a
// track for each warp, with its instructions, and one for each pipe of a sub-core.
#pragma once

#include <filesystem>

#include "harness/predict/predict.h"

namespace flash_steps {

/// Of the first sub-core, from the middle of the CTAs that start first; a microsecond of the file is a cycle. As
/// write_file() does.
void write_timeline(const Predictor::Prepared& prepared, const Card& card, const Kernel& kernel,
                    const std::filesystem::path& file);

}  // namespace flash_steps
