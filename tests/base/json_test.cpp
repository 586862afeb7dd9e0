// Lists of JSON with a line for each element.
#include "harness/base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace flash_steps {
namespace {

TEST(JsonLines, EachElementHasALineAndACommaStandsBetweenTwo) {
  const auto json_of = [](int number) { return Json{{"number", number}}; };
  EXPECT_EQ(json_lines(std::vector{1, 2}, json_of), "    {\"number\":1},\n    {\"number\":2}\n");
  EXPECT_EQ(json_lines(std::vector{3}, json_of, ""), "{\"number\":3}\n");
  EXPECT_EQ(json_lines(std::vector<int>{}, json_of), "");
}

}  // namespace
}  // namespace flash_steps
