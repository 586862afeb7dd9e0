// Pages of files that the text links to and that are no pages of the book: source, results, folders.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "harness/site/frame.h"
#include "harness/site/text/tools.h"

namespace flash_steps {

/// Of source the text, with numbered lines; of a large file or one of results what it is and how it was made; of a
/// folder what lies in it, with links to those of `linked`.
Framed source_page(const std::filesystem::path& root, const std::filesystem::path& source,
                   const std::set<std::filesystem::path>& linked, const TextTools& tools);

}  // namespace flash_steps
