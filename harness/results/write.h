// Results as a JSON file of schema "flash-steps/results/2".
#pragma once

#include <filesystem>
#include <string>

#include "harness/results/results.h"

namespace flash_steps {

/// On one line, as it is in every kind of results file.
std::string to_json_text(const Meta& meta);

/// How every kind of file that is written a row a line begins: its schema and its meta on a line each, and the comma
/// before the next field.
std::string json_head(const std::string& schema, const Meta& meta);

std::string to_json_text(const Results& results);

/// As write_file() does.
void write_results(const Results& results, const std::filesystem::path& file);

}  // namespace flash_steps
