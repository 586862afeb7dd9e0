#include "harness/site/step/step.h"

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/results/freshness.h"
#include "harness/site/book/book.h"
#include "harness/site/markup/html.h"
#include "harness/site/markup/listing.h"
#include "harness/site/step/change.h"
#include "harness/site/step/facts.h"
#include "harness/site/step/figures.h"

namespace flash_steps {
namespace {

std::vector<std::string> source_lines(const Kernel& kernel) {
  const auto file = find_source(kernel);
  if (!file) throw MachineError("the source " + kernel.source_path().string() + " is gone; a site needs a checkout");
  return read_lines(*file);
}

// 8192 as "8.2k": a strip has room for four characters.
std::string short_number(uint64_t number) {
  if (number < 1000) return std::to_string(number);
  const bool is_million = number >= 999'500;
  const double scaled = static_cast<double>(number) / (is_million ? 1e6 : 1e3);
  return fixed(scaled, scaled < 9.95 ? 1 : 0) + (is_million ? "M" : "k");
}

// 0 to 9: how much of the busiest line's count this is, in powers.
int heat(uint64_t count, uint64_t most) {
  if (count == 0 || most < 2) return 0;
  return 1 + static_cast<int>(8 * std::log(static_cast<double>(count)) / std::log(static_cast<double>(most)));
}

std::string whole_file(const Kernel& kernel, const std::vector<std::string>& source, const SiteData& data,
                       const TextTools& tools) {
  std::map<int, LineSum> sums;
  const auto counted = data.counted.find(kernel.name);
  if (counted != data.counted.end()) sums = sums_of(counted->second);
  uint64_t most = 0;
  for (const auto& [line, sum] : sums) most = std::max(most, sum.instructions);
  const std::vector<std::string> html = coloured_lines(source, "cpp", tools);
  std::string listing = "<div class=\"listing\" role=\"group\" aria-label=\"" + escaped(kernel.name) + ".cu\">\n";
  for (size_t i = 0; i < html.size(); i++) {
    const std::string number = std::to_string(i + 1);
    const auto sum = sums.find(static_cast<int>(i) + 1);
    const uint64_t count = sum == sums.end() ? 0 : sum->second.instructions;
    const bool conflicts = sum != sums.end() && sum->second.wavefronts > sum->second.ideal_wavefronts;
    listing += "<div id=\"L" + number + "\" data-l=\"" + number + "\"><a class=\"no\" href=\"#L" + number + "\">" +
               number + "</a><b class=\"h" + std::to_string(heat(count, most)) + (conflicts ? " x" : "") + "\">" +
               (count == 0 ? "" : short_number(count)) + "</b><code>" + html[i] + "</code></div>\n";
  }
  return listing + "</div>\n";
}

std::string panel(const std::string& id, const std::string& title, const std::string& html) {
  return "<section class=\"panel\" id=\"" + id + "\" aria-label=\"" + escaped(title) + "\">\n<h2>" + escaped(title) +
         "</h2>\n" + html + "</section>\n";
}

std::string change_panel(const Kernel& kernel, const std::vector<std::string>& source, const std::string& page,
                         const TextTools& tools) {
  const Kernel* before = step_before(kernel);
  if (before == nullptr) {
    return panel("diff", "Change", "<p class=\"note\">This is the first step: there is none before it.</p>\n");
  }
  const std::string address = address_from(page, site_file(before->page_path()));
  const std::string note = "<p class=\"note\">From <a href=\"" + escaped(address) + "#file\">" + escaped(before->name) +
                           "</a> to " + escaped(kernel.name) + ".</p>\n";
  const std::string choice =
      "<div class=\"choice view\" role=\"group\" aria-label=\"How the change is shown\"><button type=\"button\" "
      "data-view=\"split\" aria-pressed=\"false\">Side by side</button><button type=\"button\" data-view=\"unified\" "
      "aria-pressed=\"true\">Unified</button></div>\n";
  return panel("diff", "Change",
               note + choice + "<div class=\"diff\" data-view=\"unified\">\n" +
                   render_change(source_lines(*before), source, tools) + "</div>\n");
}

std::string file_panel(const Kernel& kernel, const std::vector<std::string>& source, const SiteData& data,
                       const TextTools& tools) {
  std::string note = "<p class=\"note\">No counters are stored of this text of the kernel.</p>\n";
  const auto counted = data.counted.find(kernel.name);
  if (counted != data.counted.end()) {
    note =
        "<div class=\"choice\"><label for=\"counter\">Beside each line</label> <select id=\"counter\">\n"
        "<option value=\"executed\">executed</option>\n<option value=\"wavefronts\">wavefronts</option>\n"
        "<option value=\"ideal\">ideal wavefronts</option>\n<option value=\"conflicts\">bank conflicts</option>\n"
        "<option value=\"sectors\">sectors</option>\n</select></div>\n<p class=\"note\">Instructions of a warp, as "
        "the emulator counts them: config " +
        escaped(counted->second.config) + ", " + escaped(counted->second.problem) +
        ". Choose a line for its words and its machine code.</p>\n";
  }
  return panel("file", "File", note + whole_file(kernel, source, data, tools));
}

struct StoredCode {
  std::vector<std::string> archs;  ///< empty: none is stored
  bool is_of_today = true;
};

// What is known of a kernel's machine code, as scripts that are loaded when they are asked for.
StoredCode add_machine_code(const Kernel& kernel, const std::vector<std::string>& source, const TextTools& tools,
                            SiteFiles& files) {
  const std::filesystem::path file = machine_lines_file(kernel.name);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return {};
  const KernelLines lines = read_machine_lines(file);
  const std::vector<int> today = lines_today(lines.source, source, tools);
  std::vector<std::string> archs;
  for (const FunctionLines& function : lines.functions) {
    if (std::find(archs.begin(), archs.end(), function.arch) == archs.end()) archs.push_back(function.arch);
  }
  for (const std::string& arch : archs) {
    files["code/" + kernel.name + "." + arch + ".js"] = machine_code_script(lines, arch, today);
  }
  return {archs, lines.code == code_hash(kernel)};
}

std::string machine_panel(const StoredCode& code) {
  const std::vector<std::string>& archs = code.archs;
  if (archs.empty()) {
    return panel("machine", "Machine code", "<p class=\"note\">No machine code of this kernel is stored.</p>\n");
  }
  std::string html = "<div class=\"choice arch\" role=\"group\" aria-label=\"Architecture\">";
  for (const std::string& arch : archs) {
    html += "<button type=\"button\" data-arch=\"" + arch + "\" aria-pressed=\"false\">" + arch + "</button>";
  }
  const std::string age = code.is_of_today ? "" : "<p class=\"note\">Of an earlier text of this kernel.</p>\n";
  return panel("machine", "Machine code",
               html + "</div>\n" + age +
                   "<noscript><p class=\"note\">The machine code is loaded by a script.</p></noscript>\n"
                   "<div id=\"sass\"></div>\n");
}

}  // namespace

std::string render_step(const Kernel& kernel, const std::string& page, const SiteData& data, const TextTools& tools,
                        SiteFiles& files) {
  const std::vector<std::string> source = source_lines(kernel);
  const StoredCode code = add_machine_code(kernel, source, tools, files);
  std::string html =
      "<aside class=\"study\" id=\"kernel\" aria-label=\"The kernel\">\n<div class=\"tabs\" role=\"tablist\" "
      "aria-label=\"The kernel\">";
  for (const auto& [id, title] :
       {std::pair{"diff", "Change"}, {"file", "File"}, {"machine", "Machine code"}, {"figures", "Figures"}}) {
    html += "<button type=\"button\" role=\"tab\" id=\"tab-" + std::string(id) + "\" aria-controls=\"" + id +
            "\" aria-selected=\"false\">" + title + "</button>";
  }
  html += "</div>\n" + change_panel(kernel, source, page, tools) + file_panel(kernel, source, data, tools) +
          machine_panel(code) + panel("figures", "Figures", render_figures(kernel, data));
  html += "<section id=\"line\" aria-label=\"The line chosen\" hidden></section>\n</aside>\n";
  return html + "<script type=\"application/json\" id=\"facts\">" +
         script_json(line_facts(kernel, source, data, code.archs)) + "</script>\n";
}

}  // namespace flash_steps
