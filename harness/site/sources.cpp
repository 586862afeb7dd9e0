#include "harness/site/sources.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/site/book/links.h"
#include "harness/site/markup/html.h"
#include "harness/site/markup/listing.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most_bytes = 200'000;  // of a file whose text is shown

std::string folder_list(const fs::path& root, const fs::path& source, const std::string& page,
                        const std::set<fs::path>& linked) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(root / source)) entries.push_back(source / entry.path().filename());
  std::sort(entries.begin(), entries.end());
  std::string html = "<p>A folder of the project.</p>\n<ul>\n";
  for (const fs::path& entry : entries) {
    const std::string name = escaped(entry.filename().string());
    html += linked.contains(entry)
                ? "<li><a href=\"" + escaped(address_from(page, address_of_file(entry))) + "\">" + name + "</a></li>\n"
                : "<li>" + name + "</li>\n";
  }
  return html + "</ul>\n";
}

std::string row(const std::string& name, const std::string& value) {
  return "<tr><th scope=\"row\">" + name + "</th><td>" + escaped(value) + "</td></tr>\n";
}

// What a file of results says of itself.
std::string description(const fs::path& file) {
  std::string html = "<p>Data, which is not shown here: it lies in the project’s folder.</p>\n<table><tbody>\n" +
                     row("size", readable_bytes(static_cast<double>(fs::file_size(file))));
  if (file.extension() != ".json") return html + "</tbody></table>\n";
  const Json json = Json::parse(read_file(file), nullptr, false);
  if (json.is_discarded() || !json.is_object()) return html + "</tbody></table>\n";
  if (json.contains("schema") && json["schema"].is_string()) html += row("schema", json["schema"].get<std::string>());
  const Json meta = json.value("meta", Json::object());
  if (meta.contains("argv") && meta["argv"].is_array()) {
    std::vector<std::string> words;
    for (const Json& word : meta["argv"]) words.push_back(word.get<std::string>());
    html += row("made by", join(words, " "));
  }
  for (const char* key : {"date", "git", "compiler", "cuda", "driver"}) {
    if (meta.contains(key) && meta[key].is_string()) html += row(key, meta[key].get<std::string>());
  }
  return html + "</tbody></table>\n";
}

std::string listing(const fs::path& file, const TextTools& tools) {
  const std::vector<std::string> html = coloured_lines(read_lines(file), language_of(file.string()), tools);
  std::string text = "<pre class=\"source\" tabindex=\"0\"><code>";
  for (size_t i = 0; i < html.size(); i++) {
    const std::string number = std::to_string(i + 1);
    text += "<a class=\"no\" id=\"L" + number + "\" href=\"#L" + number + "\">" + number + "</a>" + html[i] + "\n";
  }
  return text + "</code></pre>\n";
}

}  // namespace

Framed source_page(const fs::path& root, const fs::path& source, const std::set<fs::path>& linked,
                   const TextTools& tools) {
  Framed page;
  page.file = address_of_file(source);
  page.title = source.generic_string();
  page.kind = "source";
  page.in_contents = false;
  page.main = "<article>\n<h1>" + escaped(page.title) + "</h1>\n";
  const fs::path file = root / source;
  if (fs::is_directory(file)) {
    page.main += folder_list(root, source, page.file, linked);
  } else if (file.extension() == ".json" || fs::file_size(file) > most_bytes) {
    page.main += description(file);
  } else {
    page.main += listing(file, tools);
  }
  page.main += "</article>\n";
  return page;
}

}  // namespace flash_steps
