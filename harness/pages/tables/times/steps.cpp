#include "harness/pages/tables/times/steps.h"

#include <algorithm>
#include <cmath>

#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/model/rates.h"
#include "harness/pages/tables/markdown.h"
#include "harness/pages/tables/times/ladder.h"

namespace flash_steps {
namespace {

const InstructionCounts* main_loop(const Sweep& sweep, const Run& run, const StoredMachineCode& code) {
  const std::string arch = arch_of(sweep.files.front()->results.device.compute_capability);
  return code.main_loop(run.kernel, run.config, arch);
}

bool have_the_same_loop(const Sweep& sweep, const Run& a, const Run& b, const StoredMachineCode& code) {
  const InstructionCounts* loop = main_loop(sweep, a, code);
  const InstructionCounts* other = main_loop(sweep, b, code);
  return loop != nullptr && other != nullptr && loop->at("total") > 0 && *loop == *other;
}

// Behind a vote that is hardly ever won lies much of the loop, which its counts include and a warp jumps over.
bool has_a_vote(const Kernel& kernel) {
  const auto file = find_source(kernel);
  const std::vector<std::string> lines = file ? read_lines(*file) : std::vector<std::string>();
  return std::any_of(lines.begin(), lines.end(),
                     [](const std::string& line) { return line.find("any_of_warp(") != std::string::npos; });
}

std::optional<double> points(const Sweep& sweep, const std::string& before, const std::string& step, int seqlen) {
  const auto from = percent_at(sweep, before, seqlen);
  const auto to = percent_at(sweep, step, seqlen);
  return from && to ? std::optional(*to - *from) : std::nullopt;
}

std::string signed_text(double value) {
  const std::string text = fixed(std::abs(value), 1);
  return text == "0.0" ? text : (value < 0 ? "−" : "+") + text;
}

std::string cell(const Difference& difference) {
  const std::string text = signed_text(difference.points);
  return difference.outcome() == Outcome::level ? text : "**" + text + "**";
}

std::string what_is_bold() {
  return "\nIn bold: more than noise, which is the largest difference between neighbouring steps of the same main "
         "loop in this run, and at least " +
         fixed(noise_floor_points, 1) + " points.\n";
}

}  // namespace

Outcome Difference::outcome() const {
  if (std::abs(points) <= noise_points) return Outcome::level;
  return points > 0 ? Outcome::faster : Outcome::slower;
}

double noise_points(const Sweep& sweep, int seqlen, const StoredMachineCode& code) {
  double most = noise_floor_points;
  for (const Kernel& kernel : kernels()) {
    const Kernel* const before = step_before(kernel);
    if (before == nullptr) continue;
    const Run* const run = sweep.best_run(kernel.name, seqlen);
    const Run* const run_before = sweep.best_run(before->name, seqlen);
    if (run == nullptr || run_before == nullptr || !have_the_same_loop(sweep, *run_before, *run, code)) continue;
    if (has_a_vote(kernel)) continue;
    if (const auto found = points(sweep, before->name, kernel.name, seqlen)) most = std::max(most, std::abs(*found));
  }
  return most;
}

std::optional<Difference> difference(const Sweep& sweep, const Kernel& before, const Kernel& step, int seqlen,
                                     const StoredMachineCode& code) {
  const auto found = points(sweep, before.name, step.name, seqlen);
  return found ? std::optional(Difference{*found, noise_points(sweep, seqlen, code)}) : std::nullopt;
}

std::string render_by_length(const Kernel& before, const Kernel& step, const Sweep& sweep,
                             const std::vector<int>& seqlens, const StoredMachineCode& code) {
  std::vector<std::string> head = {"% of FA2 at seqlen"};
  std::vector<std::vector<std::string>> rows = {{before.name}, {step.name}, {"difference, points"}, {"noise, points"}};
  for (const int seqlen : seqlens) {
    const auto found = difference(sweep, before, step, seqlen, code);
    if (!found) continue;
    head.push_back(std::to_string(seqlen));
    rows[0].push_back(fixed(*percent_at(sweep, before.name, seqlen), 1));
    rows[1].push_back(fixed(*percent_at(sweep, step.name, seqlen), 1));
    rows[2].push_back(cell(*found));
    rows[3].push_back(fixed(found->noise_points, 1));
  }
  if (head.size() == 1) return "";
  std::string table = markdown_head(head, 1);
  for (const std::vector<std::string>& row : rows) table += markdown_row(row);
  return table + what_is_bold();
}

std::string render_gains(const std::vector<const Kernel*>& steps, const Sweep& sweep, const std::vector<int>& seqlens,
                         const StoredMachineCode& code) {
  std::vector<std::string> head = {"points over the step before, at seqlen"};
  for (const int seqlen : seqlens) head.push_back(std::to_string(seqlen));
  std::string table = markdown_head(head, 1);
  for (const Kernel* step : steps) {
    const Kernel* const before = step_before(*step);
    std::vector<std::string> row = {step->name};
    for (const int seqlen : seqlens) {
      const auto found = before == nullptr ? std::nullopt : difference(sweep, *before, *step, seqlen, code);
      row.push_back(found ? cell(*found) : nothing);
    }
    table += markdown_row(row);
  }
  return table + what_is_bold();
}

}  // namespace flash_steps
