// Where the links of the pages lead to within the site.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "harness/site/book/book.h"

namespace flash_steps {

class Links {
 public:
  explicit Links(const Book& book) : book_(book) {}

  /// What a link or an image of a page is to name. What it leads to becomes part of the site. Throws UsageError, with
  /// the page and the line, for one that leads nowhere.
  std::string link(const BookPage& page, const MarkdownNode& node);
  std::string image(const BookPage& page, const MarkdownNode& node);

  /// The address of a line of a kernel's file. Throws UsageError for a line that it does not have.
  std::string line(const BookPage& page, int at, const std::string& file, int line);

  /// Files and folders of the source folder that are linked to and are no pages of the book, and the images, each from
  /// that folder on.
  const std::set<std::filesystem::path>& linked() const { return linked_; }
  const std::set<std::filesystem::path>& images() const { return images_; }

 private:
  std::filesystem::path source_of(const BookPage& page, const MarkdownNode& node) const;
  void check_anchor(const BookPage& page, int line, const BookPage& to, const std::string& anchor) const;
  void check_line(const BookPage& page, int at, const std::filesystem::path& file, const std::string& anchor) const;

  const Book& book_;
  std::set<std::filesystem::path> linked_;
  std::set<std::filesystem::path> images_;
};

/// Of a linked file or folder in the site.
std::string address_of_file(const std::filesystem::path& source);

/// Whether a target names another place than a file of the project.
bool is_external(const std::string& target);

}  // namespace flash_steps
