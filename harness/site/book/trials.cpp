#include "harness/site/book/trials.h"

#include <algorithm>

namespace flash_steps {

const std::vector<Trial>& trials() {
  static const std::vector<Trial> list{
      {"bank", "instruments/bank_map.html", "word=cp_async_16"},
      {"bank-conflict", "instruments/bank_map.html", "word=ldmatrix_x4&row=256&swizzle=none"},
      {"wavefront", "instruments/bank_map.html", "word=ldmatrix_x4&row=256&swizzle=chunk ^ row % 4"},
      {"swizzle", "instruments/bank_map.html", "word=ldmatrix_x4&row=256&swizzle=chunk ^ row % 8"},
      {"fragment", "instruments/fragments.html", "operand=A"},
      {"quad", "instruments/fragments.html", "operand=C, D&row=8&column=2"},
      {"rescale", "instruments/softmax.html", "scores=one large&tile=3"},
      {"online-softmax", "instruments/softmax.html", "scores=drawn"},
      {"01_base.svg", "instruments/timeline.html", "step=01_base&gpu=H100 80GB HBM3&track=shared memory"},
      {"02_swizzling.svg", "instruments/timeline.html", "step=02_swizzling&gpu=H100 80GB HBM3&track=tensor"},
      {"03_eager_loads.svg", "instruments/timeline.html", "step=03_eager_loads&gpu=H100 80GB HBM3&track=copied data"},
      {"09_register_moves.svg", "instruments/timeline.html", "step=09_register_moves&gpu=H100 80GB HBM3&track=tensor"},
      {"16_static_stride.svg", "instruments/timeline.html", "step=16_static_stride&gpu=H100 80GB HBM3&track=tensor"},
  };
  return list;
}

const Trial* trial_of(const std::string& anchor) {
  const auto found = std::find_if(trials().begin(), trials().end(), [&](const Trial& t) { return t.anchor == anchor; });
  return found == trials().end() ? nullptr : &*found;
}

}  // namespace flash_steps
