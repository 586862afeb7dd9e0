#include "harness/machine/baseline.h"

namespace flash_steps {

const char* name_of(Baseline baseline) {
  switch (baseline) {
    case Baseline::fa2:
      return "fa2";
    case Baseline::cudnn:
      return "cudnn";
    case Baseline::standard:
      return "standard";
  }
  return "?";
}

}  // namespace flash_steps
