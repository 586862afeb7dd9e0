// Files of JSON, read with messages that say where in the file something is not as it should be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace flash_steps {

/// Members keep the order of the file.
using Json = nlohmann::ordered_json;

/// A value in a file, and the way to it: what is wrong is "FILE: runs[0].timing.median_ms is not a number". All that is
/// asked of it and is not so throws std::runtime_error with such a sentence.
class JsonNode {
 public:
  /// Both must outlive it.
  JsonNode(const Json& json, const std::string& file, std::string path = "");

  /// A member that has to be there.
  JsonNode operator[](const char* key) const;

  bool has(const char* key) const;
  bool is_null() const;
  bool is_object() const;
  bool is_list() const;

  std::vector<std::string> keys() const;
  std::vector<JsonNode> elements() const;

  /// bool, int, int64_t, uint64_t, double (null is NaN, which JSON has not) or std::string.
  template <typename T>
  T get() const;

  /// Of something in bytes: 0 or more.
  int64_t get_size() const;

  template <typename T>
  std::optional<T> get_or_null() const {
    return is_null() ? std::nullopt : std::optional<T>(get<T>());
  }

  template <typename T>
  std::vector<T> get_list() const;

  /// The one of `all` that has this name.
  template <typename T, size_t count>
  T get_name(const T (&all)[count]) const {
    return name_among(get<std::string>(), all);
  }

  template <typename T, size_t count>
  T name_among(const std::string& name, const T (&all)[count]) const {
    for (T candidate : all) {
      if (name == name_of(candidate)) return candidate;
    }
    fail("is \"" + name + "\", which is not known");
  }

  [[noreturn]] void fail(const std::string& what) const;

 private:
  const Json& json_;
  const std::string& file_;
  std::string path_;
};

/// A file that was read.
class JsonFile {
 public:
  /// Throws std::runtime_error, with a sentence that names the file, where it cannot be read (see read_file), is not
  /// JSON, or its "schema" is none of these.
  JsonFile(const std::filesystem::path& file, const std::vector<std::string>& schemas);
  ~JsonFile();
  JsonFile(const JsonFile&) = delete;
  JsonFile& operator=(const JsonFile&) = delete;

  JsonNode root() const;

  /// The place of its schema in the list.
  int schema() const { return schema_; }

 private:
  std::string name_;
  std::unique_ptr<const Json> json_;
  int schema_ = 0;
};

/// The "schema" at the top of a file of JSON, without reading further. Empty where none is to be found.
std::string schema_of(const std::filesystem::path& file);

/// On one line (indent −1) or on many. Arguments and paths can hold any bytes: what is not UTF-8 is replaced.
std::string text_of(const Json& json, int indent);

/// What stands between the brackets of a list whose elements have a line each, as people and diff read it: json_of(row)
/// of each row.
template <typename Rows, typename JsonOf>
std::string json_lines(const Rows& rows, const JsonOf& json_of, const std::string& indent = "    ") {
  std::string text;
  for (const auto& row : rows) text += (text.empty() ? "" : ",\n") + indent + json_of(row).dump();
  return text.empty() ? text : text + "\n";
}

}  // namespace flash_steps
