// What all pages of the site have around them: the head, the table of contents, and the way on.
#pragma once

#include <string>
#include <vector>

#include "harness/site/book/book.h"

namespace flash_steps {

/// A page that is no page of the book.
struct ExtraPage {
  std::string file;  ///< "instruments/bank_map.html", from the site's folder on
  std::string label;
};

/// Of a page.
struct Framed {
  std::string file;                  ///< from the site's folder on
  std::string title;                 ///< as text
  std::string kind;                  ///< a class of its body: "prose", "step", "instrument" or "source"
  std::string main;                  ///< HTML
  std::string aside;                 ///< HTML beside it; may be empty
  std::vector<std::string> scripts;  ///< of assets/, besides those of all pages
  bool in_contents = true;           ///< false: none of the pages that one gets to by Next
};

class Frame {
 public:
  Frame(const Book& book, std::vector<ExtraPage> instruments) : book_(book), instruments_(std::move(instruments)) {}

  std::string render(const Framed& page) const;

 private:
  std::string contents(const std::string& file) const;
  std::string neighbours(const std::string& file) const;

  const Book& book_;
  std::vector<ExtraPage> instruments_;
};

}  // namespace flash_steps
