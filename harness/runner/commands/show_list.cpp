#include <iostream>

#include "harness/console/list.h"
#include "harness/results/kernel_list.h"
#include "harness/results/meta.h"
#include "harness/runner/commands/commands.h"

namespace flash_steps {

int show_list(const Options& options, const Selection& kernels, const Arguments& argv) {
  check_json(options);
  if (options.json) write_kernel_list(kernels, make_meta(argv, {}), *options.json);
  if (options.json != "-") print_list(std::cout, kernels);
  return 0;
}

}  // namespace flash_steps
