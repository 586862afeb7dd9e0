#include "harness/contract/problem.h"

namespace flash_steps {

const char* name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::fp16:
      return "fp16";
    case Dtype::bf16:
      return "bf16";
  }
  return "";
}

const char* name_of(InputDistribution inputs) {
  switch (inputs) {
    case InputDistribution::normal:
      return "normal";
    case InputDistribution::uniform:
      return "uniform";
    case InputDistribution::large:
      return "large";
    case InputDistribution::constant:
      return "constant";
    case InputDistribution::onehot:
      return "onehot";
    case InputDistribution::tiny:
      return "tiny";
  }
  return "";
}

}  // namespace flash_steps
