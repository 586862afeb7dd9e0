// The pages of the book in the order of reading, as they are in the source folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/site/text/tools.h"

namespace flash_steps {

struct Heading {
  int level;
  std::string text;
  std::string anchor;
};

struct BookPage {
  std::filesystem::path source;  ///< "docs/09_register_moves.md", from the source folder on
  std::string file;              ///< "09_register_moves.html", from the site's folder on
  std::string group;             ///< the heading that it stands under in the table of contents; empty: none
  std::string label;             ///< what it is called there
  const Kernel* kernel;          ///< that it is the page of; nullptr: none
  std::string text;              ///< of the file; empty if there is none
  MarkdownNode tree;
  std::vector<Heading> headings;
  std::vector<std::string> anchors;  ///< that stand in its text, as <a id="cta"></a>

  /// Of the page: its first heading.
  std::string title() const;
  bool has_anchor(const std::string& anchor) const;
};

struct Book {
  std::filesystem::path root;   ///< the source folder
  std::vector<BookPage> pages;  ///< README.md first, then each chapter's, then the others by folder

  /// nullptr if there is none of this source, or of this kernel.
  const BookPage* find(const std::filesystem::path& source) const;
  const BookPage* find(const Kernel* kernel) const;
};

/// All pages below docs/ and README.md, and those of `kernels`. Throws UsageError for a page whose markers are wrong,
/// with the file and the line.
Book read_book(const std::filesystem::path& root, const std::vector<Kernel>& kernels, const TextTools& tools);

/// What a page of the source folder becomes: "primer/p01_standard.html" of docs/primer/p01_standard.md, from the site's
/// folder on.
std::string site_file(const std::filesystem::path& source);

/// "cta" of a node that is <a id="cta">; empty for any other.
std::string html_anchor(const MarkdownNode& node);

/// The text of a node without its marks.
std::string plain_text(const MarkdownNode& node);

/// "PAGE:LINE: REASON" as a UsageError.
[[noreturn]] void refuse_line(const BookPage& page, int line, const std::string& reason);

}  // namespace flash_steps
