#include "harness/pages/tables/counts/votes.h"

#include <stdexcept>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {

std::string render_votes(const Results& results) {
  std::string table = markdown_head({"inputs", "config", "type", "seqlen", "votes", "won", "in percent"}, 3);
  bool any = false;
  for (const Run& run : results.runs) {
    if (!run.counters || run.counters->vote_instructions == 0) continue;
    any = true;
    const Counters& counters = *run.counters;
    table += markdown_row(
        {name_of(run.problem.inputs), run.config, name_of(run.problem.dtype), std::to_string(run.problem.seqlen),
         grouped(counters.vote_instructions), grouped(counters.votes_won),
         fixed(100.0 * static_cast<double>(counters.votes_won) / static_cast<double>(counters.vote_instructions), 1)});
  }
  if (!any) throw std::runtime_error("no run counted votes; one of 17_lazy_rescale on the emulator would");
  return table;
}

}  // namespace flash_steps
