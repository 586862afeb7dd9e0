#include "harness/pages/tables/times/shares.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

std::string percent_of_fa2(const Results& results, const std::string& kernel, int seqlen) {
  const auto is_it = [&](const Run& run) {
    return run.kernel == kernel && run.problem.seqlen == seqlen && run.baselines.count(Baseline::fa2) != 0;
  };
  const auto run = std::find_if(results.runs.begin(), results.runs.end(), is_it);
  if (run == results.runs.end()) {
    throw std::runtime_error("the results have no percentage of FlashAttention-2 of " + kernel + " at seqlen " +
                             std::to_string(seqlen) + "; scripts/shares.sh makes one");
  }
  return fixed(run->baselines.at(Baseline::fa2).shown_percent(), 1);
}

}  // namespace

std::string render_shares(const Kernel& step, const std::string& between, const Results& results) {
  std::set<int> seqlens;
  for (const Run& run : results.runs) seqlens.insert(run.problem.seqlen);
  std::vector<std::string> head = {"kernel"};
  for (const int seqlen : seqlens) head.push_back("seqlen " + std::to_string(seqlen));
  std::string table = markdown_head(head, 1);
  for (const std::string& kernel : {step_before(step)->name, between, step.name}) {
    std::vector<std::string> row = {kernel};
    for (const int seqlen : seqlens) row.push_back(percent_of_fa2(results, kernel, seqlen));
    table += markdown_row(row);
  }
  return table;
}

}  // namespace flash_steps
