#include "harness/site/book/render.h"

#include <algorithm>
#include <regex>
#include <set>

#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/site/book/trials.h"
#include "harness/site/markup/html.h"
#include "harness/site/markup/listing.h"
#include "harness/site/markup/quoted.h"

namespace flash_steps {
namespace {

using Type = MarkdownNode::Type;

// Of the tags that pages may have, what stands in the site; nothing for any other.
std::string allowed_tag(const std::string& tag) {
  static const std::regex plain("</?(details|summary|sub|sup)>|<details open>|<br ?/?>");
  static const std::regex anchor("<a (id|name)=\"([A-Za-z0-9_-]+)\">");
  std::smatch match;
  if (std::regex_match(tag, plain)) return tag;
  if (std::regex_match(tag, match, anchor)) return "<span class=\"anchor\" id=\"" + match[2].str() + "\">";
  return tag == "</a>" ? "</span>" : "";
}

// Raw HTML of a page: comments go, the allowed tags stay, and the rest is text.
std::string filtered(const std::string& html) {
  std::string out;
  for (size_t at = 0; at < html.size();) {
    if (html.compare(at, 4, "<!--") == 0) {
      const size_t end = html.find("-->", at);
      at = end == std::string::npos ? html.size() : end + 3;
      continue;
    }
    const size_t end = html[at] == '<' ? html.find('>', at) : std::string::npos;
    const std::string tag = end == std::string::npos ? "" : allowed_tag(html.substr(at, end + 1 - at));
    if (tag.empty()) {
      out += escaped(html.substr(at, 1));
      at++;
    } else {
      out += tag;
      at = end + 1;
    }
  }
  return out;
}

std::string tag_of(const MarkdownNode& node) {
  switch (node.type) {
    case Type::quote:
      return "blockquote";
    case Type::list:
      return "ul";
    case Type::ordered_list:
      return "ol";
    case Type::item:
      return "li";
    case Type::table_head:
      return "thead";
    case Type::table_body:
      return "tbody";
    case Type::table_row:
      return "tr";
    case Type::emphasis:
      return "em";
    case Type::strong:
      return "strong";
    case Type::struck:
      return "del";
    default:
      return "p";
  }
}

class Article {
 public:
  Article(const BookPage& page, Links& links, const TextTools& tools) : page_(page), links_(links), tools_(tools) {}

  std::string render() {
    std::string html = children(page_.tree);
    const auto count = [&](const std::string& tag) {
      int found = 0;
      for (size_t at = html.find(tag); at != std::string::npos; at = html.find(tag, at + 1)) found++;
      return found;
    };
    for (const std::string tag : {"details", "summary"}) {
      if (count("<" + tag) != count("</" + tag + ">")) {
        const size_t at = page_.text.find("<" + tag);
        const auto line = std::count(page_.text.begin(), page_.text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        refuse_line(page_, static_cast<int>(line) + 1,
                    "a <" + tag + "> of this page has no end; </" + tag + "> on a line of its own would work");
      }
    }
    return html;
  }

 private:
  std::string children(const MarkdownNode& node) {
    std::string html;
    for (const MarkdownNode& child : node.children) html += render(child);
    return html;
  }

  std::string render(const MarkdownNode& node) {
    switch (node.type) {
      case Type::text:
        return linked_lines(node);
      case Type::html:
        return filtered(node.text) + trial(html_anchor(node));
      case Type::entity:
        return node.text;
      case Type::line_break:
        return "<br>\n";
      case Type::soft_break:
        return "\n";
      case Type::rule:
        return "<hr>\n";
      case Type::heading:
        return heading(node);
      case Type::html_block:
        return children(node);
      case Type::code:
        return "<code>" + children(node) + "</code>";
      case Type::code_block:
        return code_block(node);
      case Type::link:
        return link(node);
      case Type::image:
        return image(node);
      case Type::table:
        return "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n" + children(node) +
               "</table></div>\n";
      case Type::table_head_cell:
      case Type::table_cell:
        return cell(node);
      default:
        return element(node);
    }
  }

  std::string element(const MarkdownNode& node) {
    const std::string tag = tag_of(node);
    const bool is_inline = node.type == Type::emphasis || node.type == Type::strong || node.type == Type::struck;
    const bool counts = node.type == Type::ordered_list && node.level != 1;
    if (node.type == Type::table_body && node.children.empty()) return "";
    return "<" + tag + (counts ? " start=\"" + std::to_string(node.level) + "\"" : "") + ">" + children(node) + "</" +
           tag + ">" + (is_inline ? "" : "\n");
  }

  std::string cell(const MarkdownNode& node) {
    const bool is_head = node.type == Type::table_head_cell;
    const std::string text = children(node);
    // A head without words heads nothing.
    const std::string tag = is_head && !text.empty() ? "th" : "td";
    return "<" + tag + (node.target.empty() ? "" : " class=\"" + node.target + "\"") +
           (tag == "th" ? " scope=\"col\"" : "") + ">" + text + "</" + tag + ">";
  }

  std::string heading(const MarkdownNode& node) {
    const Heading& known = page_.headings[heading_++];
    const std::string tag = "h" + std::to_string(node.level);
    const std::string anchor =
        node.level == 1 ? ""
                        : " <a class=\"here\" href=\"#" + known.anchor + "\" aria-label=\"Link to this section\">#</a>";
    return "<" + tag + " id=\"" + known.anchor + "\">" + children(node) + anchor + "</" + tag + ">\n";
  }

  std::string link(const MarkdownNode& node) {
    const std::string address = links_.link(page_, node);
    const std::string text = children(node);
    if (is_external(address)) {
      return "<a class=\"out\" rel=\"noreferrer\" href=\"" + escaped(address) + "\">" + text + "</a>";
    }
    return "<a href=\"" + escaped(address) + "\">" + text + "</a>" + trial(address.substr(address.find('#') + 1));
  }

  // A way to the instrument that shows what a word of the glossary means, where a page first links to the word.
  std::string trial(const std::string& anchor) {
    const Trial* const trial = trial_of(anchor);
    if (trial == nullptr || !tried_.insert(anchor).second) return "";
    return "<a class=\"try\" href=\"" + escaped(address_of(*trial)) + "\" aria-label=\"Try it: " + escaped(anchor) +
           "\">try</a>";
  }

  std::string image(const MarkdownNode& node) {
    const std::string address = links_.image(page_, node);
    const std::string html =
        "<img loading=\"lazy\" src=\"" + escaped(address) + "\" alt=\"" + escaped(plain_text(node)) + "\">";
    const Trial* const trial = trial_of(std::filesystem::path(address).filename().string());
    if (trial == nullptr) return html;
    return html + "<a class=\"zoom\" href=\"" + escaped(address_of(*trial)) +
           "\">Look closer: each instruction and its line</a>";
  }

  std::string address_of(const Trial& trial) const {
    return address_from(page_.file, trial.file) + "#" + encoded(trial.state);
  }

  // "09_register_moves.cu:142" becomes a link, wherever it stands outside of blocks of code.
  std::string linked_lines(const MarkdownNode& node) {
    static const std::regex mention("([A-Za-z0-9_]+\\.cu):([0-9]{1,5})");
    std::string html;
    auto from = node.text.begin();
    for (std::sregex_iterator match(node.text.begin(), node.text.end(), mention), end; match != end; ++match) {
      const std::string address = links_.line(page_, node.line, (*match)[1].str(), std::stoi((*match)[2].str()));
      html += escaped({from, (*match)[0].first}) + "<a href=\"" + address + "\">" + match->str() + "</a>";
      from = (*match)[0].second;
    }
    return html + escaped({from, node.text.end()});
  }

  std::string code_block(const MarkdownNode& node) {
    std::string text = plain_text(node);
    if (text.ends_with('\n')) text.pop_back();
    const std::vector<std::string> lines = split(text, '\n');
    const std::string language = node.language == "cuda" || node.language == "c++" ? "cpp" : node.language;
    const bool is_cpp = language == "cpp";
    const std::vector<std::string> html = coloured_lines(lines, is_cpp || language == "sh" ? language : "", tools_);
    std::vector<int> places(lines.size());
    if (is_cpp && page_.kernel != nullptr) {
      if (const auto file = find_source(*page_.kernel)) places = quoted_lines(lines, read_lines(*file));
    }
    const bool is_quoted = std::any_of(places.begin(), places.end(), [](int line) { return line != 0; });
    std::string block = "<pre tabindex=\"0\"" + std::string(is_quoted ? " class=\"quoted\"" : "") + "><code>";
    for (size_t i = 0; i < html.size(); i++) {
      if (is_quoted) {
        const std::string number = std::to_string(places[i]);
        block += places[i] == 0 ? "<span class=\"no\"></span>"
                                : "<a class=\"no\" href=\"#L" + number + "\" title=\"Line " + number +
                                      " of the kernel\">" + number + "</a>";
      }
      block += html[i] + "\n";
    }
    return block + "</code></pre>\n";
  }

  const BookPage& page_;
  Links& links_;
  const TextTools& tools_;
  size_t heading_ = 0;
  std::set<std::string> tried_;
};

}  // namespace

std::string render_article(const BookPage& page, Links& links, const TextTools& tools) {
  return Article(page, links, tools).render();
}

}  // namespace flash_steps
