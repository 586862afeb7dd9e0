// The index of the search: which words stand in which section of which page.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/site/book/book.h"

namespace flash_steps {

struct SearchSection {
  std::string page;     ///< its title
  std::string title;    ///< of the section or the word that is explained
  std::string address;  ///< from the site's folder on, with an anchor
  std::string text;
};

/// The sections of a page, and each anchor within a table (a word of the glossary) as one of its own.
std::vector<SearchSection> sections_of(const BookPage& page);

/// The words of a text as they are looked for: small letters, digits, underscores.
std::vector<std::string> search_words(const std::string& text);

/// A script that gives the index to book.js: the sections with the beginning of their texts, and for each word the
/// sections that it stands in, those that have it in their title first.
std::string search_index(const std::vector<SearchSection>& sections);

}  // namespace flash_steps
