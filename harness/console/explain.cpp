#include "harness/console/explain.h"

#include <cctype>
#include <filesystem>
#include <ostream>

#include "harness/base/terminal.h"
#include "harness/base/text.h"
#include "harness/console/report.h"
#include "harness/contract/source.h"

namespace flash_steps {
namespace {

std::string counter_columns(const std::string& word, const std::vector<std::string>& cells) {
  // A narrow page has room for seven digits with their commas.
  const int width = page_width() < 90 ? 10 : 13;
  std::string line = "  " + pad_right(word, 25);
  for (const std::string& cell : cells) line += pad_left(cell, width);
  return line;
}

std::string describe_line(const LineCounters& line) {
  const uint64_t conflicts = line.wavefronts - line.ideal_wavefronts;
  const bool shared = line.wavefronts != 0;
  std::string text =
      counter_columns(line.word, {grouped(line.instructions), shared ? grouped(line.wavefronts) : "",
                                  shared ? grouped(line.ideal_wavefronts) : "", shared ? grouped(conflicts) : "",
                                  line.sectors != 0 ? grouped(line.sectors) : ""});
  if (conflicts != 0) {
    text += "  <- " + significant(double(line.wavefronts) / line.ideal_wavefronts, 2) + "x CONFLICTS";
  }
  return text;
}

// Functions begin in the first column of a line with a name; namespaces, templates and constants do so too.
bool begins_function(const std::string& line) {
  return line.rfind("__device__", 0) == 0 || line.rfind("__global__", 0) == 0;
}

// The answer in one sentence.
std::string describe_conflicts(const std::vector<LineCounters>& lines) {
  uint64_t conflicts = 0;
  std::vector<std::string> numbers;
  for (const LineCounters& line : lines) {
    if (line.wavefronts == line.ideal_wavefronts) continue;
    conflicts += line.wavefronts - line.ideal_wavefronts;
    numbers.push_back(std::to_string(line.line));
  }
  if (conflicts == 0) return "No line has bank conflicts.";
  return grouped(conflicts) + " wavefronts are bank conflicts, on " + (numbers.size() > 1 ? "lines " : "line ") +
         join(numbers) + ".";
}

class Listing {
 public:
  Listing(std::ostream& out, const std::vector<std::string>& source) : out_(out), source_(source) {}

  void print(const LineCounters& line) {
    if (line.line != printed_line_) {
      print_function(line.line);
      print_source(line.line);
      printed_line_ = line.line;
    }
    out_ << trimmed(describe_line(line)) << "\n";
  }

 private:
  bool exists(int line) const { return line >= 1 && line <= static_cast<int>(source_.size()); }

  void print_source(int line) {
    out_ << pad_left(std::to_string(line), 4);
    if (exists(line)) out_ << "  " << shortened(source_[line - 1], page_width() - 6);
    out_ << "\n";
  }

  void print_function(int line) {
    int start = line;
    while (exists(start) && !begins_function(source_[start - 1])) start--;
    if (!exists(start) || start == function_) return;
    function_ = start;
    out_ << "\n";
    if (start != line) print_source(start);
  }

  std::ostream& out_;
  const std::vector<std::string>& source_;
  int function_ = 0;
  int printed_line_ = 0;
};

}  // namespace

void print_explanation(std::ostream& out, const Run& run, const Kernel& kernel) {
  const auto file = find_source(kernel);
  const std::vector<std::string> source = file ? read_lines(*file) : std::vector<std::string>{};

  out << run.kernel << "  " << run.config << "  " << verdict_line(run.validation) << "\n"
      << wrapped(describe(run.problem), page_width(), 2) << "\n\n"
      << "line\n"
      << counter_columns("word", {"instructions", "wavefronts", "ideal", "conflicts", "sectors"}) << "\n";
  std::vector<LineCounters> lines;
  for (const LineCounters& line : run.lines) {
    if (std::filesystem::path(line.file).filename() == kernel.name + ".cu") lines.push_back(line);
  }
  Listing listing(out, source);
  for (const LineCounters& line : lines) listing.print(line);
  out << "\n"
      << describe_conflicts(lines) << "\n\n"
      << (run.launches.empty() ? "The whole launch:\n" : "All launches:\n");
  if (run.counters) print_counters(out, *run.counters, run.launches);
  out << "\n";
}

}  // namespace flash_steps
