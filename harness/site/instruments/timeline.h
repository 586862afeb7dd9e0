// The timeline: what the warps of a sub-core and its pipes do during one tile, as the predictor sees it.
#pragma once

#include <vector>

#include "harness/contract/registry.h"
#include "harness/predict/timeline.h"
#include "harness/site/data.h"
#include "harness/site/folder.h"
#include "harness/site/frame.h"

namespace flash_steps {

/// One tile of a step.
struct StepTimeline {
  const Kernel* kernel;
  const Card* card;
  Timeline timeline;
};

/// Of each step that the predictor has machine code of, in its first config: on one card of each architecture.
std::vector<StepTimeline> step_timelines(const std::vector<Kernel>& kernels, const SiteData& data);

/// Each timeline's spans become a script in `files`, which is loaded when somebody looks at it.
Framed timeline_page(const std::vector<StepTimeline>& timelines, SiteFiles& files);

}  // namespace flash_steps
