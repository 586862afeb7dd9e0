#include "harness/model/tile_work.h"

#include <algorithm>
#include <stdexcept>

#include "harness/results/folder.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

CountedLaunch counted(const Counters& counters, const Problem& problem, const TileShape& tile) {
  return {counters, problem.seqlen / tile.tile_rows * problem.heads * problem.batch, problem.seqlen / tile.tile_cols};
}

double flop_of(const TileShape& tile, const Problem& problem) {
  return 4.0 * tile.tile_rows * tile.tile_cols * problem.head_dim;
}

const Variant* variant_of(const std::string& kernel, const std::string& config) {
  const Kernel* const found = find_kernel(kernel);
  if (found == nullptr) return nullptr;
  const std::vector<Variant>& variants = found->emulator();
  const auto variant =
      std::find_if(variants.begin(), variants.end(), [&](const Variant& v) { return v.tile.config == config; });
  return variant == variants.end() ? nullptr : &*variant;
}

}  // namespace

TileWork observe_tile_work(Machine& emulator, const Variant& variant) {
  const TileShape& tile = variant.tile;
  const auto launch = [&](int seqlen) {
    Problem problem{.heads = std::max(1, tile.heads), .seqlen = seqlen, .dtype = variant.dtype};
    emulator.load(problem, false);
    emulator.launch(variant);
    return counted(emulator.observer()->observation().counters, problem, tile);
  };
  const int shortest = std::max(tile.tile_rows, tile.tile_cols);  // both are powers of two
  return tile_work(launch(shortest), launch(2 * shortest), flop_of(tile, {}));
}

TileWorks tile_works(const Results& results) {
  TileWorks works;
  for (const Run& longer : results.runs) {
    const Variant* variant = variant_of(longer.kernel, longer.config);
    if (variant == nullptr || !longer.counters) continue;
    for (const Run& shorter : results.runs) {
      if (shorter.kernel != longer.kernel || shorter.config != longer.config || !shorter.counters) continue;
      if (shorter.problem.seqlen >= longer.problem.seqlen) continue;
      works[{longer.kernel, longer.config}] =
          tile_work(counted(*shorter.counters, shorter.problem, variant->tile),
                    counted(*longer.counters, longer.problem, variant->tile), flop_of(variant->tile, longer.problem));
    }
  }
  return works;
}

std::vector<std::filesystem::path> tile_works_files(const Chapter& chapter) {
  const std::string name = std::filesystem::path(tile_works_name).stem().string();
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(stored_results(chapter), error)) {
    const std::string stem = entry.path().stem().string();
    if (stem == name || stem.starts_with(name + "_")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TileWorks read_stored_tile_works() {
  TileWorks all;
  for (const Chapter& chapter : chapters()) {
    std::vector<std::filesystem::path> files = tile_works_files(chapter);
    if (files.empty() && chapter.name == sixteen) files.push_back(stored_results() / tile_works_name);
    for (const std::filesystem::path& file : files) {
      TileWorks works = tile_works(read_results(file));
      if (works.empty()) {
        throw std::runtime_error(file.string() +
                                 ": runs holds no counters of a kernel at two lengths; one that the command on "
                                 "docs/method/bounds.md makes would work");
      }
      all.merge(works);
    }
  }
  return all;
}

}  // namespace flash_steps
