#include "harness/site/instruments/instruments.h"

#include "harness/site/instruments/bank_map.h"
#include "harness/site/instruments/fragments.h"
#include "harness/site/instruments/ladder.h"
#include "harness/site/instruments/softmax.h"
#include "harness/site/instruments/timeline.h"

namespace flash_steps {

std::vector<Framed> make_instruments(const std::vector<Kernel>& kernels, const SiteData& data, SiteFiles& files) {
  return {bank_map_page(), fragments_page(), softmax_page(), ladder_page(kernels, data),
          timeline_page(step_timelines(kernels, data), files)};
}

}  // namespace flash_steps
