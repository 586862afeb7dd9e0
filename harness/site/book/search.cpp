#include "harness/site/book/search.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/json.h"

namespace flash_steps {
namespace {

constexpr size_t shown_characters = 150;

// Cut at a word.
std::string beginning(const std::string& text) {
  if (text.size() <= shown_characters) return text;
  const size_t end = text.rfind(' ', shown_characters);
  return text.substr(0, end == std::string::npos ? shown_characters : end) + " …";
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const char shown = c == '\n' ? ' ' : c;
    if (shown != ' ' || (!line.empty() && line.back() != ' ')) line += shown;
  }
  return line;
}

// The first one.
std::string anchor_in(const MarkdownNode& node) {
  if (const std::string anchor = html_anchor(node); !anchor.empty()) return anchor;
  for (const MarkdownNode& child : node.children) {
    if (const std::string anchor = anchor_in(child); !anchor.empty()) return anchor;
  }
  return "";
}

class Sections {
 public:
  explicit Sections(const BookPage& page) : page_(page) {
    list_.push_back({page.title(), page.title(), page.file, ""});
    visit(page.tree);
  }

  std::vector<SearchSection> take() {
    for (SearchSection& section : list_) section.text = one_line(section.text);
    return std::move(list_);
  }

 private:
  void visit(const MarkdownNode& node) {
    for (const MarkdownNode& child : node.children) {
      if (child.type == MarkdownNode::Type::heading) {
        const Heading& heading = page_.headings[heading_++];
        if (heading_ > 1) list_.push_back({page_.title(), heading.text, page_.file + "#" + heading.anchor, ""});
        section_ = list_.size() - 1;
      } else if (child.type == MarkdownNode::Type::table_row) {
        visit_row(child);
      } else if (child.type == MarkdownNode::Type::text || child.type == MarkdownNode::Type::code) {
        list_[section_].text += plain_text(child);
      } else {
        visit(child);
        list_[section_].text += " ";
      }
    }
  }

  void visit_row(const MarkdownNode& row) {
    const std::string anchor = anchor_in(row);
    std::string text;
    for (size_t i = anchor.empty() ? 0 : 1; i < row.children.size(); i++) text += plain_text(row.children[i]) + " ";
    if (anchor.empty()) {
      list_[section_].text += text;
    } else {
      list_.push_back({page_.title(), plain_text(row.children.front()), page_.file + "#" + anchor, text});
    }
  }

  const BookPage& page_;
  std::vector<SearchSection> list_;
  size_t heading_ = 0;
  size_t section_ = 0;
};

}  // namespace

std::vector<SearchSection> sections_of(const BookPage& page) { return Sections(page).take(); }

std::vector<std::string> search_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (word.size() > 1) words.push_back(word);
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || byte >= 0x80) {
      word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else {
      end_word();
    }
  }
  end_word();
  return words;
}

std::string search_index(const std::vector<SearchSection>& sections) {
  Json list = Json::array();
  std::map<std::string, std::map<int, int>> found;  // by word and section: how much it weighs there
  for (size_t i = 0; i < sections.size(); i++) {
    const SearchSection& section = sections[i];
    const bool is_page = section.page == section.title;
    list.push_back({section.address, section.title, is_page ? "" : section.page, beginning(section.text)});
    const int index = static_cast<int>(i);
    for (const std::string& word : search_words(section.text)) found[word][index] |= 1;
    for (const std::string& word : search_words(section.title)) found[word][index] |= is_page ? 8 : 4;
  }
  Json words = Json::object();
  for (const auto& [word, places] : found) {
    std::vector<std::pair<int, int>> order;  // heavy ones first
    for (const auto& [section, weight] : places) order.emplace_back(-weight, section);
    std::sort(order.begin(), order.end());
    Json numbers = Json::array();
    for (const auto& [weight, section] : order) {
      numbers.push_back(section);
      numbers.push_back(-weight);
    }
    words[word] = numbers;
  }
  return "searchIndex(" + text_of(Json{{"sections", list}, {"words", words}}, -1) + ");\n";
}

}  // namespace flash_steps
