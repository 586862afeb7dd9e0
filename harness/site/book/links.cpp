#include "harness/site/book/links.h"

#include <algorithm>
#include <charconv>

#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

struct LinkParts {
  std::string path;
  std::string anchor;
};

LinkParts parts_of(const std::string& target) {
  const size_t hash = target.find('#');
  return {target.substr(0, hash), hash == std::string::npos ? "" : target.substr(hash + 1)};
}

// md4c knows where the text of a link begins; an image without one is looked for.
int line_of(const BookPage& page, const MarkdownNode& node) {
  if (node.line != 0) return node.line;
  const size_t at = page.text.find("](" + node.target);
  if (at == std::string::npos) return 1;
  return 1 + static_cast<int>(std::count(page.text.begin(), page.text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// 142 of "L142".
int line_number(const std::string& anchor) {
  int number = 0;
  if (anchor.starts_with("L")) std::from_chars(anchor.data() + 1, anchor.data() + anchor.size(), number);
  return number;
}

}  // namespace

bool is_external(const std::string& target) {
  return target.find("://") != std::string::npos || target.starts_with("mailto:");
}

std::string address_of_file(const fs::path& source) { return "files/" + source.generic_string() + ".html"; }

fs::path Links::source_of(const BookPage& page, const MarkdownNode& node) const {
  const std::string path = parts_of(node.target).path;
  const fs::path source = (page.source.parent_path() / path).lexically_normal();
  std::error_code error;
  const bool is_inside = source.is_relative() && *source.begin() != "..";
  if (!is_inside || !fs::exists(book_.root / source, error)) {
    refuse_line(
        page, line_of(page, node),
        "it links to " + node.target + ", and there is no " + source.string() + "; a file that exists would work");
  }
  return source.has_filename() ? source : source.parent_path();  // of a folder with a slash behind it
}

void Links::check_anchor(const BookPage& page, int line, const BookPage& to, const std::string& anchor) const {
  if (anchor.empty() || to.has_anchor(anchor)) return;
  std::vector<std::string> anchors;
  for (const Heading& heading : to.headings) anchors.push_back(heading.anchor);
  anchors.insert(anchors.end(), to.anchors.begin(), to.anchors.end());
  refuse_line(page, line,
              "it links to #" + anchor + " of " + to.source.string() + ", which has no such heading" +
                  (anchors.empty() ? "" : "; the nearest is #" + nearest(anchor, anchors)));
}

void Links::check_line(const BookPage& page, int at, const fs::path& file, const std::string& anchor) const {
  if (anchor.empty()) return;
  const auto lines = static_cast<int>(read_lines(book_.root / file).size());
  const int number = line_number(anchor);
  if (number >= 1 && number <= lines) return;
  refuse_line(page, at,
              "it names line " + (number == 0 ? anchor : std::to_string(number)) + " of " + file.string() +
                  ", which has lines 1 to " + std::to_string(lines));
}

std::string Links::link(const BookPage& page, const MarkdownNode& node) {
  if (is_external(node.target)) return node.target;
  const LinkParts target = parts_of(node.target);
  const int line = line_of(page, node);
  if (target.path.empty()) {
    check_anchor(page, line, page, target.anchor);
    return "#" + target.anchor;
  }
  const fs::path source = source_of(page, node);
  const std::string anchor = target.anchor.empty() ? "" : "#" + target.anchor;
  if (const BookPage* to = book_.find(source)) {
    check_anchor(page, line, *to, target.anchor);
    return address_from(page.file, to->file) + anchor;
  }
  check_line(page, line, source, target.anchor);
  for (const BookPage& to : book_.pages) {
    if (to.kernel == nullptr || to.kernel->source_path() != source) continue;
    const std::string place = anchor.empty() ? "#file" : anchor;
    return &to == &page ? place : address_from(page.file, to.file) + place;
  }
  linked_.insert(source);
  return address_from(page.file, address_of_file(source)) + anchor;
}

std::string Links::image(const BookPage& page, const MarkdownNode& node) {
  if (is_external(node.target)) {
    refuse_line(
        page, line_of(page, node),
        "its image " + node.target + " lies elsewhere, and a site asks for nothing outside; docs/img would work");
  }
  const fs::path source = source_of(page, node);
  images_.insert(source);
  return address_from(page.file, "img/" + source.filename().string());
}

std::string Links::line(const BookPage& page, int at, const std::string& file, int line) {
  for (const BookPage& to : book_.pages) {
    if (to.kernel == nullptr || to.kernel->name + ".cu" != file) continue;
    const std::string anchor = "L" + std::to_string(line);
    check_line(page, at, to.kernel->source_path(), anchor);
    return (&to == &page ? "" : address_from(page.file, to.file)) + "#" + anchor;
  }
  refuse_line(page, at, "it names line " + std::to_string(line) + " of " + file + ", and there is no such kernel");
}

}  // namespace flash_steps
