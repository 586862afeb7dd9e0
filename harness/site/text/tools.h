// What the site takes from libraries: Markdown is read by md4c, source is coloured by GNU source-highlight, texts are
// compared by dtl. They lie in a library of their own, site_text.so, which is loaded for --site alone: the runner runs
// where they are not installed.
#pragma once

#include <string>
#include <vector>

namespace flash_steps {

/// A part of a page of Markdown, as md4c understood it.
struct MarkdownNode {
  enum class Type {
    document,
    heading,  ///< level
    paragraph,
    quote,
    list,
    ordered_list,  ///< level: the number of its first item
    item,
    rule,
    code_block,  ///< language; its text is in children
    html_block,  ///< its text is in children
    table,
    table_head,
    table_body,
    table_row,
    table_head_cell,  ///< target: "left", "center", "right" or nothing
    table_cell,
    emphasis,
    strong,
    struck,
    code,
    link,   ///< target
    image,  ///< target
    text,   ///< text, as are the rest
    html,
    entity,
    line_break,
    soft_break
  };
  Type type = Type::document;
  std::string text = {};
  std::string target = {};
  std::string language = {};
  int level = 0;
  bool tight = false;  ///< of an item: without paragraphs
  int line = 0;        ///< of the page, where its text begins; 0: it has none
  std::vector<MarkdownNode> children = {};
};

/// A piece of a line of source. Its kind is source-highlight's name for it: "keyword", "comment", "normal".
struct SourceToken {
  std::string kind;
  std::string text = {};
};

/// A step on the way from one list to another.
struct Edit {
  enum class Kind { same, removed, added };
  Kind kind;
  std::string text = {};
};

class TextTools {
 public:
  virtual ~TextTools() = default;

  virtual MarkdownNode markdown(const std::string& page) const = 0;

  /// The tokens of each line. `language` is the name of a .lang file of source-highlight: "cpp", "sh". Throws
  /// std::runtime_error for one that is not installed.
  virtual std::vector<std::vector<SourceToken>> highlight(const std::vector<std::string>& lines,
                                                          const std::string& language) const = 0;

  /// The shortest way from `before` to `after`. What goes stands in front of what comes.
  virtual std::vector<Edit> difference(const std::vector<std::string>& before,
                                       const std::vector<std::string>& after) const = 0;
};

/// The only function that site_text.so shows.
using TextToolsFunction = const TextTools&();
inline constexpr const char* text_tools_function = "flash_steps_text_tools";

}  // namespace flash_steps
