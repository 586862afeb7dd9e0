#include "harness/pages/tables/times/against_cudnn.h"

#include <stdexcept>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {

std::string render_against_cudnn(const std::vector<const Kernel*>& steps, const Sweep& sweep,
                                 const std::vector<int>& seqlens) {
  std::vector<std::string> head = {"% of cuDNN, " + std::string(name_of(sweep.dtype))};
  for (const int seqlen : seqlens) head.push_back(std::to_string(seqlen));
  std::string table = markdown_head(head, 1);
  bool any = false;
  for (const Kernel* step : steps) {
    std::vector<std::string> cells = {step->name};
    for (const int seqlen : seqlens) {
      const Run* run = sweep.best_run(step->name, seqlen);
      const bool timed = run != nullptr && run->baselines.count(Baseline::cudnn) > 0;
      any |= timed;
      cells.push_back(timed ? fixed(run->baselines.at(Baseline::cudnn).shown_percent(), 1) : nothing);
    }
    table += markdown_row(cells);
  }
  if (!any) throw std::runtime_error("cuDNN was not timed; a sweep with --baseline=fa2,cudnn has it");
  return table;
}

}  // namespace flash_steps
