// Pages of which parts are made from results: what lies between two markers that are lines of their own,
//
//     <!-- table -->
//     <!-- /table -->
//
// is made anew, and the rest stays as it is. Some blocks are told more in the first marker, behind their name:
//
//     <!-- machine-code HMMA MOV total -->
//
// And some are a few words within a line: there are <!-- figure mutants -->729 mutants, 0 survive<!-- /figure --> so
// far.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace flash_steps {

/// What goes between the markers of one name.
struct PageBlock {
  std::string name;
  std::function<std::string(const std::vector<std::string>& words)> render;  ///< whole lines, or words
  bool takes_words = false;  ///< whether words may stand behind the name; they are given to render
  bool within_line = false;  ///< its markers are not lines of their own but stand within one
};

std::string opening_marker(const std::string& block);
std::string closing_marker(const std::string& block);

/// Throws UsageError: "cannot update PAGE: REASON".
[[noreturn]] void refuse_page(const std::filesystem::path& page, const std::string& reason);

/// `text` with its blocks made anew; lines may end as on Windows. `page` is for messages. Throws UsageError where a
/// marker is missing, or all are, or where a comment that is a line of its own names none of the blocks.
std::string with_blocks(const std::string& text, const std::filesystem::path& page,
                        const std::vector<PageBlock>& blocks);

/// Whether a line of the text is a marker, or might be meant as one.
bool has_blocks(const std::string& text);

/// Rewrites the pages that are not as `updated` makes them, none if it throws for one of them, and returns a line for
/// each. Throws UsageError for a page that cannot be read.
std::vector<std::string> rewrite_pages(
    const std::vector<std::filesystem::path>& pages,
    const std::function<std::string(const std::string& text, const std::filesystem::path& page)>& updated);

}  // namespace flash_steps
