// A page of Markdown as HTML, its links as the site has them.
#pragma once

#include <string>
#include <vector>

#include "harness/site/book/book.h"
#include "harness/site/book/links.h"

namespace flash_steps {

/// What the text of a page becomes. Lines of code that stand in the kernel's file are linked to where they stand there,
/// and so is a line that the text names, as in 09_register_moves.cu:142. HTML in the page is escaped but for a few
/// tags: <details>, <summary>, <br>, <sub>, <sup> and anchors. Throws UsageError, with the page and the line, for
/// links, lines and anchors that do not exist, and for a <details> without its end.
std::string render_article(const BookPage& page, Links& links, const TextTools& tools);

}  // namespace flash_steps
