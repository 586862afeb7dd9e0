#include "harness/base/json.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#include "harness/base/file.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

// Finds the schema of a file of JSON and stops there, for it stands at the top and files are long.
class SchemaFinder : public nlohmann::json::json_sax_t {
 public:
  std::string schema;

  bool key(std::string& name) override {
    is_schema_ = depth_ == 1 && name == "schema";
    return true;
  }
  bool string(std::string& value) override {
    if (is_schema_) schema = value;
    return !is_schema_;
  }
  bool start_object(size_t) override { return enter(); }
  bool start_array(size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool binary(nlohmann::json::binary_t&) override { return true; }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool enter() {
    depth_++;
    is_schema_ = false;
    return true;
  }
  bool leave() {
    depth_--;
    return true;
  }

  int depth_ = 0;
  bool is_schema_ = false;
};

Json parse(const std::string& text, const std::string& file) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::string reason =
        error.byte > text.size() ? "it is cut short" : "see its byte " + std::to_string(error.byte);
    throw std::runtime_error(file + ": the file is not JSON; " + reason);
  } catch (const Json::out_of_range&) {
    throw std::runtime_error(file + ": the file has a number beyond 1.8e308, the largest that can be read");
  }
}

}  // namespace

JsonNode::JsonNode(const Json& json, const std::string& file, std::string path)
    : json_(json), file_(file), path_(std::move(path)) {}

JsonNode JsonNode::operator[](const char* key) const {
  if (!json_.is_object()) fail("is not an object");
  std::string path = path_.empty() ? key : path_ + "." + key;
  if (!json_.contains(key)) JsonNode(json_, file_, path).fail("is missing");
  return {json_.at(key), file_, std::move(path)};
}

bool JsonNode::has(const char* key) const { return json_.contains(key); }

bool JsonNode::is_null() const { return json_.is_null(); }
bool JsonNode::is_object() const { return json_.is_object(); }
bool JsonNode::is_list() const { return json_.is_array(); }

std::vector<std::string> JsonNode::keys() const {
  if (!json_.is_object()) fail("is not an object");
  std::vector<std::string> names;
  for (const auto& [name, value] : json_.items()) names.push_back(name);
  return names;
}

std::vector<JsonNode> JsonNode::elements() const {
  if (!json_.is_array()) fail("is not a list");
  std::vector<JsonNode> nodes;
  for (size_t i = 0; i < json_.size(); i++) nodes.emplace_back(json_[i], file_, path_ + "[" + std::to_string(i) + "]");
  return nodes;
}

template <typename T>
T JsonNode::get() const {
  if constexpr (std::is_same_v<T, bool>) {
    if (!json_.is_boolean()) fail("is not true or false");
  } else if constexpr (std::is_unsigned_v<T>) {
    if (!json_.is_number_unsigned()) fail("is not a whole number of 0 or more");
  } else if constexpr (std::is_integral_v<T>) {
    if (!json_.is_number_integer()) fail("is not a whole number");
    const bool fits = json_.is_number_unsigned() ? json_.get<uint64_t>() <= uint64_t(std::numeric_limits<T>::max())
                                                 : json_.get<int64_t>() >= std::numeric_limits<T>::min();
    if (!fits) fail("is out of range");
  } else if constexpr (std::is_floating_point_v<T>) {
    if (json_.is_null()) return std::numeric_limits<T>::quiet_NaN();
    if (!json_.is_number()) fail("is not a number");
  } else {
    if (!json_.is_string()) fail("is not a text");
  }
  return json_.get<T>();
}

template bool JsonNode::get() const;
template int JsonNode::get() const;
template int64_t JsonNode::get() const;
template uint64_t JsonNode::get() const;
template double JsonNode::get() const;
template std::string JsonNode::get() const;

int64_t JsonNode::get_size() const {
  const auto size = get<int64_t>();
  if (size < 0) fail("is negative");
  return size;
}

template <typename T>
std::vector<T> JsonNode::get_list() const {
  if (!json_.is_array()) fail("is not a list");
  std::vector<T> values;
  for (size_t i = 0; i < json_.size(); i++) {
    // A list of samples is long, and the path of each would take longer to write than the file to read.
    const bool is_plain_number = std::is_floating_point_v<T> && json_[i].is_number();
    values.push_back(is_plain_number
                         ? json_[i].get<T>()
                         : JsonNode(json_[i], file_, path_ + "[" + std::to_string(i) + "]").template get<T>());
  }
  return values;
}

template std::vector<int> JsonNode::get_list() const;
template std::vector<double> JsonNode::get_list() const;
template std::vector<std::string> JsonNode::get_list() const;

void JsonNode::fail(const std::string& what) const {
  throw std::runtime_error(file_ + ": " + (path_.empty() ? "the file" : path_) + " " + what);
}

JsonFile::JsonFile(const std::filesystem::path& file, const std::vector<std::string>& schemas)
    : name_(file.string()), json_(std::make_unique<const Json>(parse(read_file(file), name_))) {
  const JsonNode schema = root()["schema"];
  const std::string found = schema.get<std::string>();
  const auto known = std::find(schemas.begin(), schemas.end(), found);
  if (known == schemas.end()) {
    schema.fail("is \"" + found + "\"; this build reads \"" + join(schemas, "\" and \"") + "\"");
  }
  schema_ = static_cast<int>(known - schemas.begin());
}

JsonFile::~JsonFile() = default;

JsonNode JsonFile::root() const { return {*json_, name_}; }

std::string schema_of(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return "";
  std::ifstream stream(file);
  SchemaFinder finder;
  nlohmann::json::sax_parse(stream, &finder);
  return finder.schema;
}

std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flash_steps
