// Put in front of a kernel's mutants for the GPU, whose list of variants begins with "variants_in_fp16<": half of the
// time to compile, and the emulator tries them in fp16 alone, too.
#pragma once

#include "harness/contract/kernel.h"

namespace flash_steps {

template <auto first, auto... rest, typename Make>
std::vector<Variant> variants_in_fp16(Make make) {
  std::vector<Variant> made{make.template operator()<fp16_t, first>()};
#ifndef FLASH_STEPS_DEFAULT_CONFIGS_ONLY
  (made.push_back(make.template operator()<fp16_t, rest>()), ...);
#endif
  return made;
}

}  // namespace flash_steps
