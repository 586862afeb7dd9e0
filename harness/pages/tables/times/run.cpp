#include "harness/pages/tables/times/run.h"

#include <sstream>
#include <stdexcept>
#include <vector>

#include "harness/console/report.h"
#include "harness/results/published.h"

namespace flash_steps {

std::string render_run(const std::string& kernel, const Results& results) {
  std::vector<Run> runs;
  for (const Run& run : results.runs) {
    if (run.kernel == kernel && (!run.timing || run.problem.seqlen == table_seqlen)) runs.push_back(run);
  }
  if (runs.empty()) throw std::runtime_error("it has no run of " + kernel);
  std::ostringstream text;
  print_heading(text, results.device, runs.front().problem);
  if (runs.front().timing) {
    print_gpu_table(text, runs, {});
  } else {
    for (const Run& run : runs) print_emulated(text, run);
  }
  std::string printed = text.str();
  while (printed.ends_with("\n\n")) printed.pop_back();
  return "```\n" + printed + "```\n";
}

}  // namespace flash_steps
