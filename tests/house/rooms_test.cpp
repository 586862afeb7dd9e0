// The house: a file includes only what lies in its own room or in one above it, and no folder, file or function is
// longer than a reader takes in at once.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/text.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// From above to below. A file belongs to the longest of these that its path begins with.
const std::vector<std::string> rooms = {"kernels/element.h",
                                        "harness/base",
                                        "harness/contract",
                                        "harness/truth",
                                        "harness/machine",
                                        "harness/emulator/words",
                                        "kernels/isa",
                                        "kernels",
                                        "harness/emulator/memory",
                                        "harness/emulator",
                                        "harness/gpu/cuda",
                                        "harness/baselines",
                                        "harness/gpu/truth",
                                        "harness/gpu/timing",
                                        "harness/gpu",
                                        "harness/results",
                                        "harness/sass",
                                        "harness/model",
                                        "harness/predict/code",
                                        "harness/predict/sm",
                                        "harness/predict",
                                        "harness/measure",
                                        "harness/console",
                                        "harness/pages/tables",
                                        "harness/pages",
                                        "harness/site/text",
                                        "harness/site/markup",
                                        "harness/site/book",
                                        "harness/site",
                                        "harness/runner"};

std::optional<size_t> room_of(const std::string& path) {
  std::optional<size_t> longest;
  for (size_t i = 0; i < rooms.size(); i++) {
    const bool fits = path.starts_with(rooms[i]);
    if (fits && (!longest || rooms[i].size() > rooms[*longest].size())) longest = i;
  }
  return longest;
}

struct Include {
  std::string file;
  std::string included;
};

// Why a file may not include what it does; nothing if it may.
std::optional<std::string> complaint(const Include& include) {
  const std::string sentence = include.file + " includes " + include.included;
  const auto from = room_of(include.file);
  const auto to = room_of(include.included);
  if (!from) return include.file + " is in no room; tests/house/rooms_test.cpp lists them";
  if (!to) return sentence + ", which is in no room; tests/house/rooms_test.cpp lists them";
  if (*to > *from) {
    return sentence + ", but " + rooms[*from] + " comes before " + rooms[*to] + ": a room includes only those above it";
  }
  const bool is_kernel = include.file.ends_with(".cu") && rooms[*from] == "kernels";
  if (is_kernel && rooms[*to] != "kernels/isa" && include.included != "harness/contract/kernel.h") {
    return sentence + ", but a kernel file includes only its words and harness/contract/kernel.h";
  }
  return std::nullopt;
}

std::vector<std::string> sources(const std::string& below) {
  std::vector<std::string> files;
  const fs::path root = FLASH_STEPS_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / below)) {
    const std::string ending = entry.path().extension();
    if (ending == ".h" || ending == ".cpp" || ending == ".cu" || ending == ".cuh") {
      files.push_back(fs::relative(entry.path(), root));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> lines_of(const std::string& file) {
  std::istringstream text(content(fs::path(FLASH_STEPS_SOURCE_DIR) / file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<Include> includes_of(const std::string& file) {
  constexpr std::string_view begin = "#include \"";
  std::vector<Include> includes;
  for (const std::string& line : lines_of(file)) {
    if (!line.starts_with(begin)) continue;
    const std::string name = line.substr(begin.size(), line.find('"', begin.size()) - begin.size());
    // The kernels say "isa.cuh", from whatever folder.
    includes.push_back({file, name.find('/') == std::string::npos ? "kernels/" + name : name});
  }
  return includes;
}

TEST(House, ARoomIncludesOnlyThoseAboveIt) {
  std::vector<std::string> complaints;
  for (const char* below : {"harness", "kernels"}) {
    for (const std::string& file : sources(below)) {
      for (const Include& include : includes_of(file)) {
        if (const auto found = complaint(include)) complaints.push_back(*found);
      }
    }
  }
  EXPECT_THAT(complaints, IsEmpty());
}

TEST(House, AnIncludeAgainstTheOrderIsNamedWithItsRule) {
  EXPECT_EQ(complaint({"harness/runner/run.cpp", "harness/base/text.h"}), std::nullopt);
  EXPECT_EQ(complaint({"harness/base/text.cpp", "harness/base/text.h"}), std::nullopt);
  EXPECT_EQ(complaint({"harness/base/text.cpp", "harness/runner/run.h"}),
            "harness/base/text.cpp includes harness/runner/run.h, but harness/base comes before harness/runner: a room "
            "includes only those above it");
  EXPECT_THAT(complaint({"harness/gpu/cuda/check.cu", "harness/gpu/device.h"}).value(), HasSubstr("comes before"));
  EXPECT_THAT(complaint({"harness/baselines/standard.cu", "harness/gpu/memory_need.h"}).value(),
              HasSubstr("comes before"));
  EXPECT_THAT(complaint({"harness/attic/trunk.cpp", "harness/base/text.h"}).value(), HasSubstr("is in no room"));
  EXPECT_THAT(complaint({"kernels/01_base.cu", "harness/base/text.h"}).value(), HasSubstr("only its words"));
  EXPECT_EQ(complaint({"kernels/primer/p01_standard.cu", "kernels/isa.cuh"}), std::nullopt);
}

TEST(House, TheIncludesAreFound) {
  std::vector<std::string> found;
  for (const Include& include : includes_of("kernels/01_base.cu")) found.push_back(include.included);
  EXPECT_THAT(found, ElementsAre("harness/contract/kernel.h", "kernels/isa.cuh"));
}

size_t most_lines(const std::string& file) {
  if (!file.ends_with(".cu") || !file.starts_with("kernels/")) return 400;
  const bool goes_on = file.starts_with("kernels/beyond/") || file.starts_with("kernels/variants/");
  return goes_on ? 350 : 300;
}

TEST(House, NoFileIsTooLong) {
  for (const char* below : {"harness", "kernels", "tests"}) {
    for (const std::string& file : sources(below)) EXPECT_LE(lines_of(file).size(), most_lines(file)) << file;
  }
}

// A .h and its .cpp are one idea.
TEST(House, NoFolderHoldsTooMuch) {
  std::map<std::string, std::set<std::string>> ideas;
  for (const char* below : {"harness", "tests"}) {
    for (const fs::path file : sources(below)) ideas[file.parent_path()].insert(file.stem());
  }
  for (const auto& [folder, names] : ideas) EXPECT_LE(names.size(), 13u) << folder;
}

// The lines on which functions begin that are longer than this. As clang-format lays code out, a brace that begins a
// line ends what the last line of the same indent began; what is no function (a class, a list) has no parenthesis
// there.
std::vector<size_t> functions_over(size_t most, const std::vector<std::string>& lines) {
  std::vector<size_t> found;
  std::map<size_t, size_t> last;  // by indent
  for (size_t i = 0; i < lines.size(); i++) {
    const size_t indent = lines[i].find_first_not_of(' ');
    if (indent == std::string::npos || lines[i][indent] == '#') continue;
    const auto begin = last.find(indent);
    const bool ends = lines[i][indent] == '}' && begin != last.end();
    if (ends && i - begin->second > most && lines[begin->second].find('(') != std::string::npos) {
      found.push_back(begin->second + 1);
    }
    last[indent] = i;
  }
  return found;
}

// A kernel file is left out: its kernel is one function, which is read from top to bottom.
TEST(House, NoFunctionIsTooLong) {
  for (const char* below : {"harness", "tests"}) {
    for (const std::string& file : sources(below)) {
      for (const size_t line : functions_over(60, lines_of(file))) ADD_FAILURE() << file << ":" << line;
    }
  }
}

TEST(House, ALongFunctionIsFound) {
  const std::vector<std::string> lines = split(R"(namespace a {
class B {
  int c(int d) {
    if (d) {
      d++;
#pragma unroll
    }
    return d;
  }
};
int list[] = {
  1,
  2,
};
int e(int f,
      int g) {
  return f + g;
}
}  // namespace a)",
                                               '\n');
  EXPECT_THAT(functions_over(2, lines), ElementsAre(4, 3, 15));
  EXPECT_THAT(functions_over(5, lines), ElementsAre(3));
  EXPECT_THAT(functions_over(6, lines), IsEmpty());
}

// What a check is told to pass over is mended instead.
TEST(House, NothingIsExcused) {
  const std::string excuse = std::string("NO") + "LINT";
  for (const char* below : {"harness", "kernels", "tests"}) {
    for (const std::string& file : sources(below)) {
      for (const std::string& line : lines_of(file)) EXPECT_EQ(line.find(excuse), std::string::npos) << file;
    }
  }
}

TEST(House, AKernelFileIsCompiledAsItStands) {
  for (const std::string& file : sources("kernels")) {
    if (!file.ends_with(".cu")) continue;
    for (const std::string& line : lines_of(file)) EXPECT_FALSE(line.starts_with("#if")) << file << ": " << line;
  }
}

}  // namespace
}  // namespace flash_steps
