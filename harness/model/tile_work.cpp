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

// Of the longer launch; of the other it is the same for a tile.
TileWork work_of(const CountedLaunch& shorter, const CountedLaunch& longer, const Problem& problem) {
  return tile_work(shorter, longer, problem.flops() / longer.ctas / longer.tiles);
}

// The smallest that the variant covers, but for its length.
Problem least_problem(const Variant& variant) {
  return {.heads = std::max(1, variant.tile.heads),
          .head_dim = variant.coverage.head_dims.front(),
          .dtype = variant.dtype,
          .pass = variant.coverage.passes.front()};
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
  const int shortest = std::max(tile.tile_rows, tile.tile_cols);  // both are powers of two
  Problem problem = least_problem(variant);
  const auto launch = [&](int seqlen) {
    problem.seqlen = seqlen;
    emulator.load(problem, false);
    emulator.launch(variant);
    return counted(emulator.observer()->observation().counters, problem, tile);
  };
  const CountedLaunch shorter = launch(shortest), longer = launch(2 * shortest);
  return work_of(shorter, longer, problem);
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
          work_of(counted(*shorter.counters, shorter.problem, variant->tile),
                  counted(*longer.counters, longer.problem, variant->tile), longer.problem);
    }
  }
  return works;
}

std::vector<std::filesystem::path> tile_works_files(const Chapter& chapter) {
  const std::string name = std::filesystem::path(tile_works_name).stem().string();
  std::vector<std::filesystem::path> files = json_files_in(stored_results(chapter));
  std::erase_if(files, [&](const std::filesystem::path& file) {
    const std::string stem = file.stem().string();
    return stem != name && !stem.starts_with(name + "_");
  });
  return files;
}

TileWorks read_stored_tile_works() {
  TileWorks all;
  for (const Chapter& chapter : chapters()) {
    std::vector<std::filesystem::path> files = tile_works_files(chapter);
    if (files.empty() && chapter.name == sixteen) files.push_back(stored_results() / tile_works_name);
    for (const std::filesystem::path& file : files) {
      const Results results = read_results(file);
      TileWorks works = tile_works(results);
      // Of configs that a build leaves out there is nothing to know.
      const bool is_built = results.runs.empty() ||
                            std::any_of(results.runs.begin(), results.runs.end(),
                                        [](const Run& run) { return variant_of(run.kernel, run.config) != nullptr; });
      if (works.empty() && is_built) {
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
