// The explanations of the words of the kernels: the comments in front of them in isa.cuh and its like.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace flash_steps {

struct ExplainedWord {
  std::string text;  ///< of its comment, in one paragraph
  std::string file;  ///< "kernels/isa.cuh"
  int line = 0;      ///< of its declaration
};

/// By name.
using ExplainedWords = std::map<std::string, ExplainedWord>;

/// From a file whose functions have comments of three slashes in front of them.
ExplainedWords explained_words(const std::vector<std::string>& lines, const std::string& file);

/// Those of all headers of the kernels, kernels/isa*.cuh.
ExplainedWords read_words(const std::filesystem::path& root);

/// The names in a line of source, each once.
std::vector<std::string> names_in(const std::string& line);

}  // namespace flash_steps
