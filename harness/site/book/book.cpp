#include "harness/site/book/book.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/pages/blocks.h"
#include "harness/pages/page.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

void collect_headings(const MarkdownNode& node, std::vector<Heading>& headings) {
  for (const MarkdownNode& child : node.children) {
    if (child.type != MarkdownNode::Type::heading) {
      collect_headings(child, headings);
      continue;
    }
    const std::string text = plain_text(child);
    const std::string anchor = anchor_of(text);
    const auto same = std::count_if(headings.begin(), headings.end(),
                                    [&](const Heading& other) { return anchor_of(other.text) == anchor; });
    headings.push_back({child.level, text, same == 0 ? anchor : anchor + "-" + std::to_string(same)});
  }
}

void collect_anchors(const MarkdownNode& node, std::vector<std::string>& anchors) {
  const std::string anchor = html_anchor(node);
  if (!anchor.empty()) anchors.push_back(anchor);
  for (const MarkdownNode& child : node.children) collect_anchors(child, anchors);
}

int line_with(const std::string& text, const std::string& part) {
  const std::vector<std::string> lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); i++) {
    if (!part.empty() && lines[i].find(part) != std::string::npos) return static_cast<int>(i) + 1;
  }
  return 1;
}

// That every marker belongs to a block that is made, and has its end.
void check_markers(const BookPage& page) {
  if (!has_blocks(page.text)) return;
  try {
    check_blocks(page.text, page.source);
  } catch (const UsageError& error) {
    const std::string sentence = error.what();
    const size_t open = sentence.find("<!-- ");
    const size_t close = sentence.find(" -->", open);
    const std::string marker = open == std::string::npos ? "" : sentence.substr(open, close + 4 - open);
    int line = line_with(page.text, marker);
    // What is missing names the marker that it belongs to as the second one.
    const size_t second = sentence.find("<!-- ", close);
    if (line == 1 && second != std::string::npos) {
      line = line_with(page.text, sentence.substr(second, sentence.find(" -->", second) + 4 - second));
    }
    refuse_line(page, line, sentence.substr(sentence.find(": ") + 2));
  }
}

// The line without comments, but for those in code: one at its beginning would end the paragraph that it stands in.
std::string without_comments(std::string line) {
  for (size_t begin = line.find("<!--"); begin != std::string::npos; begin = line.find("<!--", begin)) {
    const size_t end = line.find("-->", begin);
    if (end == std::string::npos) break;
    const auto marks = std::count(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(begin), '`');
    if (marks % 2 == 0) {
      line.erase(begin, end + 3 - begin);
    } else {
      begin = end;
    }
  }
  return line;
}

// What of a page is shown: no comments, and no links to its neighbours, of which the site has its own. Lines stay where
// they are.
std::string shown_text(const std::string& text) {
  std::string shown;
  bool in_code = false, in_navigation = false;
  for (const std::string& line : split(text, '\n')) {
    if (line.find("```") < 4) in_code = !in_code;
    in_navigation = (in_navigation || line == opening_marker("navigation")) && line != closing_marker("navigation");
    shown += (in_navigation ? "" : in_code ? line : without_comments(line)) + "\n";
  }
  return shown;
}

BookPage read_page(const fs::path& root, const fs::path& source, const TextTools& tools) {
  BookPage page{source, site_file(source), "", "", nullptr, "", {}, {}, {}};
  std::error_code error;
  if (fs::exists(root / source, error)) page.text = read_file(root / source);
  page.tree = tools.markdown(shown_text(page.text));
  collect_headings(page.tree, page.headings);
  collect_anchors(page.tree, page.anchors);
  check_markers(page);
  page.label = page.title();
  return page;
}

// "docs/method" as a heading of the table of contents.
std::string group_of(const fs::path& source) {
  const std::string folder = source.parent_path().filename();
  if (folder == "method") return "How it is measured and checked";
  if (folder == "docs" || folder.empty()) return "More";
  std::string group = folder;
  group[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(group[0])));
  return group;
}

std::vector<fs::path> pages_below(const fs::path& root) {
  std::vector<fs::path> pages;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path().filename());
  }
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs", error)) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path().lexically_relative(root));
  }
  std::sort(pages.begin(), pages.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(b.parent_path(), a) < std::pair(a.parent_path(), b);  // folders before what lies in none
  });
  return pages;
}

}  // namespace

std::string site_file(const fs::path& source) {
  const fs::path below_docs = source.lexically_relative("docs");
  const fs::path path = *below_docs.begin() == ".." ? source : below_docs;
  if (path.stem() == "README") return (path.parent_path() / "index.html").generic_string();
  return fs::path(path).replace_extension(".html").generic_string();
}

std::string html_anchor(const MarkdownNode& node) {
  constexpr std::string_view begin = "<a id=\"";
  if (node.type != MarkdownNode::Type::html || !node.text.starts_with(begin)) return "";
  return node.text.substr(begin.size(), node.text.find('"', begin.size()) - begin.size());
}

std::string plain_text(const MarkdownNode& node) {
  using Type = MarkdownNode::Type;
  if (node.type == Type::soft_break || node.type == Type::line_break) return " ";
  if (node.type == Type::html) return "";
  std::string text = node.text;
  for (const MarkdownNode& child : node.children) text += plain_text(child);
  return text;
}

std::string BookPage::title() const {
  if (!headings.empty()) return headings.front().text;
  return kernel != nullptr ? kernel->name : source.stem().string();
}

bool BookPage::has_anchor(const std::string& anchor) const {
  const auto is_it = [&](const Heading& heading) { return heading.anchor == anchor; };
  return std::any_of(headings.begin(), headings.end(), is_it) ||
         std::find(anchors.begin(), anchors.end(), anchor) != anchors.end();
}

const BookPage* Book::find(const fs::path& source) const {
  const auto found = std::find_if(pages.begin(), pages.end(), [&](const BookPage& p) { return p.source == source; });
  return found == pages.end() ? nullptr : &*found;
}

const BookPage* Book::find(const Kernel* kernel) const {
  if (kernel == nullptr) return nullptr;
  const auto found = std::find_if(pages.begin(), pages.end(), [&](const BookPage& p) { return p.kernel == kernel; });
  return found == pages.end() ? nullptr : &*found;
}

Book read_book(const fs::path& root, const std::vector<Kernel>& kernels, const TextTools& tools) {
  Book book{root, {}};
  book.pages.push_back(read_page(root, "README.md", tools));
  const Chapter* chapter = nullptr;
  for (const Kernel& kernel : kernels) {
    const fs::path about = fs::path("docs") / kernel.chapter->folder / "README.md";
    std::error_code error;
    if (kernel.chapter != chapter && fs::exists(root / about, error)) {
      BookPage page = read_page(root, about, tools);
      page.group = kernel.chapter->title;
      page.label = "About this chapter";
      book.pages.push_back(std::move(page));
    }
    chapter = kernel.chapter;
    BookPage page = read_page(root, kernel.page_path(), tools);
    page.kernel = &kernel;
    page.group = kernel.chapter->title;
    page.label = kernel.label() + " " + spoken_name(kernel.name);
    book.pages.push_back(std::move(page));
  }
  for (const fs::path& source : pages_below(root)) {
    if (book.find(source) != nullptr) continue;
    BookPage page = read_page(root, source, tools);
    page.group = group_of(source);
    book.pages.push_back(std::move(page));
  }
  return book;
}

void refuse_line(const BookPage& page, int line, const std::string& reason) {
  throw UsageError(page.source.string() + ":" + std::to_string(std::max(line, 1)) + ": " + reason);
}

}  // namespace flash_steps
