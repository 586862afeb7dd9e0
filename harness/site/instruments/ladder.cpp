#include "harness/site/instruments/ladder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/site/book/book.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

bool is_empty(const LadderColumn& column) {
  return std::none_of(column.percent.begin(), column.percent.end(), [](const auto& p) { return p.has_value(); });
}

LadderColumn published_column(const PublishedColumn& published, const std::vector<const Kernel*>& steps) {
  LadderColumn column{published.gpu, "published", published.is_mean ? "mean" : std::to_string(table_seqlen), {}};
  for (const Kernel* step : steps) {
    const auto found = published.percent.find(step->name);
    column.percent.push_back(found == published.percent.end() ? std::nullopt : std::optional(found->second));
  }
  return column;
}

std::string static_table(const std::vector<const Kernel*>& steps, const std::vector<LadderColumn>& columns) {
  std::string html =
      "<div class=\"scroll\" id=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Percent of "
      "FlashAttention-2\"><table>\n<thead><tr><th scope=\"col\">step</th>";
  std::vector<const LadderColumn*> shown;
  for (const LadderColumn& column : columns) {
    if (column.length == std::to_string(table_seqlen)) shown.push_back(&column);
  }
  for (const LadderColumn* column : shown) {
    html += "<th scope=\"col\" class=\"right\">" + escaped(column->gpu + ", " + column->dtype) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (size_t i = 0; i < steps.size(); i++) {
    html += "<tr><th scope=\"row\">" + escaped(steps[i]->name) + "</th>";
    for (const LadderColumn* column : shown) {
      html += "<td class=\"right\">" + (column->percent[i] ? fixed(*column->percent[i], 1) : "—") + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::vector<LadderColumn> ladder_columns(const std::vector<const Kernel*>& steps, const SiteData& data) {
  std::vector<LadderColumn> columns;
  for (const Sweep& sweep : sweeps_of(data.files, data.published)) {
    for (const int seqlen : data.published.seqlens) {
      LadderColumn column{sweep.gpu, name_of(sweep.dtype), std::to_string(seqlen), {}};
      for (const Kernel* step : steps) column.percent.push_back(percent_at(sweep, step->name, seqlen));
      columns.push_back(std::move(column));
    }
    LadderColumn mean{sweep.gpu, name_of(sweep.dtype), "mean", {}};
    for (const Kernel* step : steps) mean.percent.push_back(mean_percent(sweep, step->name, data.published.seqlens));
    columns.push_back(std::move(mean));
  }
  for (const PublishedColumn& published : data.published.columns) {
    columns.push_back(published_column(published, steps));
  }
  std::erase_if(columns, is_empty);
  return columns;
}

Framed ladder_page(const std::vector<Kernel>& kernels, const SiteData& data) {
  std::vector<const Kernel*> steps;
  Json names = Json::array();
  for (const Kernel& kernel : kernels) {
    steps.push_back(&kernel);
  }
  std::vector<LadderColumn> columns = ladder_columns(steps, data);
  // Steps of which nothing is known are left out.
  for (size_t i = steps.size(); i-- > 0;) {
    const bool is_known =
        std::any_of(columns.begin(), columns.end(), [&](const auto& c) { return c.percent[i].has_value(); });
    if (is_known) continue;
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i));
    for (LadderColumn& column : columns) column.percent.erase(column.percent.begin() + static_cast<std::ptrdiff_t>(i));
  }
  Json list = Json::array();
  for (const LadderColumn& column : columns) {
    Json percents = Json::array();
    for (const auto& percent : column.percent) percents.push_back(percent ? Json(*percent) : Json());
    list.push_back({{"gpu", column.gpu}, {"type", column.dtype}, {"length", column.length}, {"percent", percents}});
  }
  for (const Kernel* step : steps) {
    names.push_back({step->label(), step->name, "../" + site_file(step->page_path())});
  }
  Framed page;
  page.file = "instruments/ladder.html";
  page.title = "The ladder";
  page.kind = "instrument";
  page.scripts = {"instrument.js", "ladder.js"};
  page.in_contents = false;
  page.main =
      "<article class=\"wide\">\n<h1>The ladder</h1>\n<p>Each step’s speed in percent of FlashAttention-2’s, of the "
      "best "
      "config: as measured here, and as published. Choose a length, a type and a GPU.</p>\n<form class=\"choices\" "
      "id=\"choices\"></form>\n<div id=\"chart\"></div>\n" +
      static_table(steps, columns) + "</article>\n<script type=\"application/json\" id=\"data\">" +
      script_json(text_of(Json{{"steps", names}, {"columns", list}}, -1)) + "</script>\n";
  return page;
}

}  // namespace flash_steps
