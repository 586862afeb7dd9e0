#include "harness/pages/page.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view marker_begin = "<!-- ";
constexpr std::string_view marker_end = " -->";

bool is_marker(const std::string& line) { return line.starts_with(marker_begin) && line.ends_with(marker_end); }

// What stands behind the block's name, if the line opens the block.
std::optional<std::vector<std::string>> words_of(const std::string& line, const PageBlock& block) {
  if (line == opening_marker(block.name)) return std::vector<std::string>();
  const std::string begin = "<!-- " + block.name + " ";
  const std::string end = " -->";
  if (!block.takes_words || !line.starts_with(begin) || !line.ends_with(end)) return std::nullopt;
  return split(line.substr(begin.size(), line.size() - begin.size() - end.size()), ' ');
}

struct Opening {
  const PageBlock* block;
  std::vector<std::string> words;
};

std::optional<Opening> opened_by(const std::string& line, const std::vector<PageBlock>& blocks, bool within_line) {
  for (const PageBlock& block : blocks) {
    if (block.within_line != within_line) continue;
    if (const auto words = words_of(line, block)) return Opening{&block, *words};
  }
  return std::nullopt;
}

std::string content(const fs::path& page) {
  try {
    return read_file(page);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string(error.what()) + "; README.md or docs would work");
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

struct Inline {
  std::string line;
  bool has_any = false;
};

// The line with the blocks within it made anew. A comment that names none of them is left alone.
Inline with_inline_blocks(const std::string& line, const fs::path& page, const std::vector<PageBlock>& blocks) {
  Inline made;
  size_t at = 0;
  for (size_t begin; (begin = line.find(marker_begin, at)) != std::string::npos;) {
    const size_t end = line.find(marker_end, begin);
    if (end == std::string::npos) break;
    const size_t behind = end + marker_end.size();
    const std::string marker = line.substr(begin, behind - begin);
    made.line += line.substr(at, behind - at);
    at = behind;
    const auto opened = opened_by(marker, blocks, true);
    if (!opened) continue;
    made.has_any = true;
    made.line += opened->block->render(opened->words);
    at = line.find(closing_marker(opened->block->name), at);
    if (at == std::string::npos) {
      refuse_page(page, "no " + closing_marker(opened->block->name) + " follows " + marker + " on its line");
    }
  }
  made.line += line.substr(at);
  return made;
}

// What stands on a line of its own and looks like a marker is one, or a mistake.
void check_no_other_marker(const std::string& line, const fs::path& page, const std::vector<PageBlock>& blocks) {
  if (!is_marker(line)) return;
  std::vector<std::string> names;
  for (const PageBlock& block : blocks) {
    if (line == closing_marker(block.name)) return;
    names.push_back(block.name);
  }
  const std::string name = split(line.substr(marker_begin.size()), ' ').front();
  const std::string bare = name.starts_with("/") ? name.substr(1) : name;
  refuse_page(page, line + " names no block that is made; the nearest is " + opening_marker(nearest(bare, names)));
}

}  // namespace

std::string opening_marker(const std::string& block) { return "<!-- " + block + " -->"; }
std::string closing_marker(const std::string& block) { return "<!-- /" + block + " -->"; }

void refuse_page(const fs::path& page, const std::string& reason) {
  throw UsageError("cannot update " + page.string() + ": " + reason);
}

std::string with_blocks(const std::string& text, const fs::path& page, const std::vector<PageBlock>& blocks) {
  if (text.find("\r\n") != std::string::npos) {
    return replaced(with_blocks(replaced(text, "\r\n", "\n"), page, blocks), "\n", "\r\n");
  }
  std::string updated;
  const PageBlock* open = nullptr;  // the block that the line is in, if any
  bool has_any = false;
  const std::vector<std::string> lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); i++) {
    const std::string& line = lines[i];
    if (open && line == closing_marker(open->name)) open = nullptr;
    const std::optional<Opening> opened = opened_by(line, blocks, false);
    if (open) {
      // A marker that lies in another block would be lost with it: the block's own end is missing.
      if (opened) break;
      continue;
    }
    const Inline within = with_inline_blocks(line, page, blocks);
    has_any = has_any || within.has_any;
    if (!opened && !within.has_any) check_no_other_marker(line, page, blocks);
    updated += within.line + (i + 1 < lines.size() ? "\n" : "");
    if (!opened) continue;
    has_any = true;
    open = opened->block;
    updated += open->render(opened->words);
  }
  if (open) {
    refuse_page(page, "no line " + closing_marker(open->name) + " follows the line " + opening_marker(open->name));
  }
  if (!has_any) {
    const std::string& name = blocks.front().name;
    refuse_page(page, "it has no lines " + opening_marker(name) + " and " + closing_marker(name) +
                          ", between which it would go");
  }
  return updated;
}

bool has_blocks(const std::string& text) {
  const std::vector<std::string> lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return is_marker(trimmed(line)) || line.find("<!-- /") != std::string::npos;
  });
}

std::vector<std::string> rewrite_pages(
    const std::vector<fs::path>& pages,
    const std::function<std::string(const std::string& text, const fs::path& page)>& updated) {
  std::vector<std::string> texts;
  std::vector<std::string> before;
  for (const fs::path& page : pages) {
    before.push_back(content(page));
    texts.push_back(updated(before.back(), page));
  }
  std::vector<std::string> report;
  for (size_t i = 0; i < pages.size(); i++) {
    const bool changes = texts[i] != before[i];
    if (changes) write_file(texts[i], pages[i]);
    report.push_back(pages[i].string() + (changes ? ": rewritten" : ": as it should be"));
  }
  return report;
}

}  // namespace flash_steps
