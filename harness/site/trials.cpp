#include "harness/site/trials.h"

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
  };
  return list;
}

const Trial* trial_of(const std::string& anchor) {
  const auto found = std::find_if(trials().begin(), trials().end(), [&](const Trial& t) { return t.anchor == anchor; });
  return found == trials().end() ? nullptr : &*found;
}

}  // namespace flash_steps
