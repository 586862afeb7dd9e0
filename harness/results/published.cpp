#include "harness/results/published.h"

#include "harness/base/json.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

struct ColumnName {
  const char* in_file;
  const char* clocks_in_file;
  const char* gpu;
  bool is_mean;
};

constexpr ColumnName column_names[] = {{"a100_seqlen_4096", "a100", "A100", false},
                                       {"a100_harmonic_mean", "a100", "A100", true},
                                       {"rtx3090_seqlen_4096", "rtx3090", "RTX 3090", false},
                                       {"rtx3090_harmonic_mean", "rtx3090", "RTX 3090", true}};

Published read(const JsonNode& root) {
  Published published;
  published.source = root["source"].get<std::string>();
  published.seqlens = root["harmonic_mean_over_seqlen"].get_list<int>();
  published.heads = root["heads"].get<int>();
  for (const int seqlen : published.seqlens) {
    published.batch[seqlen] = root["batch_for_seqlen"][std::to_string(seqlen).c_str()].get<int>();
  }
  const std::vector<std::string> columns = root["columns"].get_list<std::string>();
  if (columns.size() != std::size(column_names)) root["columns"].fail("are not those that this build knows");
  for (size_t i = 0; i < columns.size(); i++) {
    const ColumnName& name = column_names[i];
    if (columns[i] != name.in_file) root["columns"].fail("are not those that this build knows");
    PublishedColumn column{name.gpu,
                           name.is_mean,
                           root["clocks_mhz"][name.clocks_in_file]["sm"].get<double>(),
                           root["reference_tflops_corrected_by_author"][name.in_file].get<double>(),
                           root["reference_tflops_as_printed"][name.in_file].get<double>(),
                           {}};
    for (const std::string& kernel : root["percent"].keys()) {
      const JsonNode row = root["percent"][kernel.c_str()];
      const std::vector<double> percents = row.get_list<double>();
      if (percents.size() != columns.size()) row.fail("has not one figure for each of the columns");
      column.percent[kernel] = percents[i];
    }
    published.columns.push_back(column);
  }
  const JsonNode h100 = root["h100"];
  published.h100_source = h100["what"].get<std::string>();
  const JsonNode percents = h100["percent_seqlen_4096"];
  for (const std::string& kernel : percents.keys()) {
    published.h100_percent[kernel] = percents[kernel.c_str()].get<double>();
  }
  return published;
}

}  // namespace

double PublishedColumn::fa2_tflops_of_products() const {
  constexpr double products = 4 * default_head_dim;
  constexpr double softmax = 6;
  return fa2_tflops * products / (products + softmax);
}

bool Published::has(const Problem& problem) const {
  const auto found = batch.find(problem.seqlen);
  if (found == batch.end()) return false;
  return problem == Problem{.batch = found->second,
                            .heads = heads,
                            .seqlen = problem.seqlen,
                            .dtype = problem.dtype,
                            .seed = problem.seed};
}

std::filesystem::path published_file() { return stored_results() / "published.json"; }

Published read_published(const std::filesystem::path& file) {
  const JsonFile json(file, {"flash-steps/published/1"});
  return read(json.root());
}

}  // namespace flash_steps
