#include "harness/site/instruments/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/emulator/words/isa.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

constexpr int keys = 32;
constexpr int tile_keys = 8;

// Numbers that look drawn: the fractional parts of multiples of an irrational number, between −1 and 1.
float drawn(int i) { return static_cast<float>(2 * std::fmod(0.618033988749895 * (i + 1), 1.0) - 1); }

struct Row {
  const char* name;
  float (*score)(int key);
};

constexpr Row rows_of_scores[] = {
    {"drawn", [](int key) { return 4 * drawn(key * 7); }},
    {"rising", [](int key) { return static_cast<float>(key) / 2 - 8; }},
    {"falling", [](int key) { return 8 - static_cast<float>(key) / 2; }},
    {"one large", [](int key) { return key == 18 ? 12.0f : drawn(key); }},
    {"all equal", [](int) { return 1.0f; }},
};

SoftmaxStep next(const SoftmaxStep* before, const std::vector<float>& scores, const float* values) {
  const float max_before = before == nullptr ? -std::numeric_limits<float>::infinity() : before->row_max;
  SoftmaxStep step{scores, {}, max_before, 0, 0, 0};
  for (const float score : scores) step.row_max = std::fmax(step.row_max, score);
  step.shrink = exp2_approx(max_before - step.row_max);
  step.row_sum = before == nullptr ? 0 : before->row_sum * step.shrink;
  step.output = before == nullptr ? 0 : before->output * step.shrink;
  for (size_t i = 0; i < scores.size(); i++) {
    step.weights.push_back(exp2_approx(scores[i] - step.row_max));
    step.row_sum += step.weights.back();
    step.output += step.weights.back() * values[i];
  }
  return step;
}

double exact_output(const Row& row, const std::vector<float>& values) {
  double sum = 0, output = 0;
  for (int key = 0; key < keys; key++) {
    const double weight = std::exp2(static_cast<double>(row.score(key)));
    sum += weight;
    output += weight * values[key];
  }
  return output / sum;
}

}  // namespace

std::vector<SoftmaxCase> softmax_cases() {
  std::vector<SoftmaxCase> cases;
  for (const Row& row : rows_of_scores) {
    SoftmaxCase made{row.name, {}, {}, 0};
    for (int key = 0; key < keys; key++) made.values.push_back(drawn(key * 3 + 1));
    for (int first = 0; first < keys; first += tile_keys) {
      std::vector<float> scores;
      for (int key = first; key < first + tile_keys; key++) scores.push_back(row.score(key));
      made.steps.push_back(next(made.steps.empty() ? nullptr : &made.steps.back(), scores, &made.values[first]));
    }
    made.exact = exact_output(row, made.values);
    cases.push_back(std::move(made));
  }
  return cases;
}

Framed softmax_page() {
  Json json = Json::array();
  std::string rows;
  for (const SoftmaxCase& one : softmax_cases()) {
    Json steps = Json::array();
    for (const SoftmaxStep& step : one.steps) {
      steps.push_back({{"scores", step.scores},
                       {"weights", step.weights},
                       {"max", step.row_max},
                       {"shrink", step.shrink},
                       {"sum", step.row_sum},
                       {"output", step.output}});
      const auto cell = [](double value) { return "<td class=\"right\">" + significant(value, 6) + "</td>"; };
      rows += "<tr><th scope=\"row\">" + escaped(one.name) + "</th><td class=\"right\">" +
              std::to_string(&step - one.steps.data() + 1) + "</td>" + cell(step.row_max) + cell(step.shrink) +
              cell(step.row_sum) + cell(step.output) + cell(step.output / step.row_sum) + "</tr>\n";
    }
    json.push_back({{"name", one.name}, {"values", one.values}, {"steps", steps}, {"exact", one.exact}});
  }
  Framed page;
  page.file = "instruments/softmax.html";
  page.title = "Online softmax";
  page.kind = "instrument";
  page.scripts = {"instrument.js", "softmax.js"};
  page.in_contents = false;
  page.main =
      "<article class=\"wide\">\n<h1>Online softmax</h1>\n"
      "<p>One row of attention over 32 keys that come in tiles of eight. Of the keys so far three numbers are kept: "
      "the "
      "maximum m of the scores, the sum l of the weights, and the output o (one element of it here), neither divided "
      "by "
      "the other. A tile with a larger maximum shrinks what was summed before. Scores are in powers of two, as the "
      "kernels have them; all numbers are fp32, by the emulator’s <code>exp2_approx</code>.</p>\n"
      "<form class=\"choices\" id=\"choices\"></form>\n<p id=\"answer\" aria-live=\"polite\"></p>\n<div "
      "id=\"row\"></div>\n"
      "<h2 id=\"all-rows\">All rows</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"All "
      "rows\"><table>\n<thead><tr><th scope=\"col\">scores</th><th scope=\"col\" class=\"right\">tile</th><th "
      "scope=\"col\" class=\"right\">m</th><th scope=\"col\" class=\"right\">shrink</th><th scope=\"col\" "
      "class=\"right\">l</th><th scope=\"col\" class=\"right\">o</th><th scope=\"col\" class=\"right\">o / l</th></tr>"
      "</thead>\n<tbody>\n" +
      rows + "</tbody></table></div>\n</article>\n<script type=\"application/json\" id=\"data\">" +
      script_json(text_of(json, -1)) + "</script>\n";
  return page;
}

}  // namespace flash_steps
