#include "harness/results/published.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/results/stored_times.h"

namespace flash_steps {
namespace {

using Json = nlohmann::ordered_json;

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

Published read(const Json& json) {
  Published published;
  published.source = json.at("source");
  published.seqlens = json.at("harmonic_mean_over_seqlen").get<std::vector<int>>();
  published.heads = json.at("heads");
  for (const int seqlen : published.seqlens) {
    published.batch[seqlen] = json.at("batch_for_seqlen").at(std::to_string(seqlen));
  }
  const Json& columns = json.at("columns");
  for (size_t i = 0; i < columns.size(); i++) {
    const ColumnName& name = column_names[i];
    if (columns.size() != std::size(column_names) || columns[i] != name.in_file) {
      throw std::runtime_error("columns are not those that this build knows");
    }
    PublishedColumn column{name.gpu,
                           name.is_mean,
                           json.at("clocks_mhz").at(name.clocks_in_file).at("sm"),
                           json.at("reference_tflops_corrected_by_author").at(name.in_file),
                           json.at("reference_tflops_as_printed").at(name.in_file),
                           {}};
    for (const auto& [kernel, row] : json.at("percent").items()) column.percent[kernel] = row.at(i);
    published.columns.push_back(column);
  }
  return published;
}

}  // namespace

double PublishedColumn::fa2_tflops_of_products() const {
  constexpr double products = 4 * supported_head_dim;
  constexpr double softmax = 6;
  return fa2_tflops * products / (products + softmax);
}

bool Published::has(const Problem& problem) const {
  const auto found = batch.find(problem.seqlen);
  return found != batch.end() && problem.batch == found->second && problem.heads == heads &&
         problem.head_dim == supported_head_dim && problem.inputs == InputDistribution::normal;
}

std::filesystem::path published_file() { return stored_results() / "published.json"; }

Published read_published(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string() + ", which holds the published figures");
  try {
    return read(Json::parse(stream));
  } catch (const std::exception& error) {
    throw std::runtime_error(file.string() + ": " + error.what());
  }
}

}  // namespace flash_steps
