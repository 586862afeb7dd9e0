#include "mutants/equivalent.h"

#include <algorithm>

namespace flash_steps::mutants {

const std::vector<Equivalent>& equivalents() {
  static const std::vector<Equivalent> list{};
  return list;
}

const Equivalent* find_equivalent(const Mutant& mutant, const std::vector<Equivalent>& list) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Equivalent& entry) {
    return entry.kernel == mutant.kernel && entry.mistake == mutant.mistake && entry.before == mutant.before &&
           entry.after == mutant.after;
  });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace flash_steps::mutants
