#include "harness/site/step/figures.h"

#include <algorithm>
#include <set>

#include "harness/base/text.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

using Cells = std::vector<std::string>;

std::string table(const std::string& caption, const Cells& head, const std::vector<Cells>& rows) {
  std::string html = "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"" + escaped(caption) +
                     "\"><table>\n<caption>" + escaped(caption) + "</caption>\n<thead><tr>";
  for (size_t i = 0; i < head.size(); i++) {
    html += "<th scope=\"col\"" + std::string(i == 0 ? "" : " class=\"right\"") + ">" + escaped(head[i]) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const Cells& row : rows) {
    html += "<tr><th scope=\"row\">" + escaped(row.front()) + "</th>";
    for (size_t i = 1; i < row.size(); i++) html += "<td class=\"right\">" + escaped(row[i]) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// What a results file has of a config, by length.
std::vector<Cells> measured(const std::string& kernel, const std::string& config, const ResultsFile& file,
                            bool& was_ranked) {
  std::vector<Cells> rows;
  for (const Run& run : file.results.runs) {
    if (run.kernel != kernel || run.config != config || !run.timing) continue;
    const auto fa2 = run.baselines.find(Baseline::fa2);
    const std::string mark = run.timing->full_budget ? "" : "¹";
    was_ranked = was_ranked || !run.timing->full_budget;
    rows.push_back({std::to_string(run.problem.seqlen), fixed(run.timing->median_ms, 3) + mark,
                    fixed(run.timing->tflops, 1),
                    fa2 == run.baselines.end() ? "" : fixed(fa2->second.shown_percent(), 1)});
  }
  return rows;
}

std::string bound_table(const std::string& kernel, const std::string& config, const SiteData& data) {
  std::vector<Cells> rows;
  for (const Rates& rates : all_rates()) {
    const auto bound = data.bounds.of(kernel, config, rates);
    const MachineCode* code = data.bounds.machine_code.find(kernel, config, rates.arch);
    if (!bound && code == nullptr) continue;
    rows.push_back({rates.gpu + " (" + rates.arch + ")", bound ? fixed(bound->percent_of_peak, 1) : "",
                    bound ? name_of(bound->pipe) : "", code == nullptr ? "" : std::to_string(code->function.registers),
                    code == nullptr ? "" : std::to_string(code->function.stack_bytes)});
  }
  if (rows.empty()) return "";
  return table("What the busiest pipe of an SM allows", {"GPU", "% of peak", "by", "registers", "stack B"}, rows);
}

std::string config_section(const Kernel& kernel, const std::string& config, const SiteData& data) {
  std::string html = "<section class=\"config\" data-config=\"" + escaped(config) + "\">\n<h3>" + escaped(config) +
                     "</h3>\n" + bound_table(kernel.name, config, data);
  bool was_ranked = false;
  for (const ResultsFile& file : data.files) {
    const std::vector<Cells> rows = measured(kernel.name, config, file, was_ranked);
    if (rows.empty()) continue;
    const Dtype dtype = file.results.runs.front().problem.dtype;
    html += table(file.device() + ", " + name_of(dtype) + " (" + file.name() + ", " + file.date() + ")",
                  {"seqlen", "ms", "TFLOP/s", "% of FA2"}, rows);
  }
  if (was_ranked) {
    html += "<p class=\"note\">¹ A few samples, which ranked the configs: this one was not among the best.</p>\n";
  }
  return html + "</section>\n";
}

}  // namespace

std::string render_figures(const Kernel& kernel, const SiteData& data) {
  const std::vector<std::string> configs = data.configs_of(kernel.name);
  if (configs.empty()) return "<p>Nothing of this kernel is measured yet.</p>\n";
  std::string html = "<div class=\"choice\"><label for=\"config\">Config</label> <select id=\"config\">\n";
  for (const std::string& config : configs) {
    html += "<option value=\"" + escaped(config) + "\">" + escaped(config) + "</option>\n";
  }
  html += "</select></div>\n";
  for (const std::string& config : configs) html += config_section(kernel, config, data);
  return html;
}

}  // namespace flash_steps
