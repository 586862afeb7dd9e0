#include <iostream>

#include "harness/base/error.h"
#include "harness/console/fit.h"
#include "harness/pages/blocks.h"
#include "harness/pages/page.h"
#include "harness/pages/tables/checks/errors.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/pages/words.h"
#include "harness/results/folder.h"
#include "harness/runner/commands/commands.h"

namespace flash_steps {
namespace {

void update(const std::filesystem::path& target, const Published& published, const std::vector<ResultsFile>& files) {
  for (const std::string& line : update_pages(pages_to_update(target), published, files)) std::cout << line << "\n";
}

}  // namespace

int show_table(const Options& options, const Selection& kernels) {
  const Published published = read_published();
  const TableFiles table = options.files.empty() ? read_table_folder(stored_results(), published)
                                                 : read_table_files(options.files, published);
  if (!options.update) {
    std::optional<StoredBounds> bounds;
    if (options.bounds) bounds = read_stored_bounds();
    std::optional<Predictions> predictions;
    if (options.predictions) predictions = read_stored_predictions();
    const std::vector<ResultsFile> files =
        options.files.empty() ? files_of(*kernels.front()->chapter, table.files) : table.files;
    std::cout << fitted(render_table(kernels, published, sweeps_of(files, published, kernels),
                                     bounds ? &*bounds : nullptr, predictions ? &*predictions : nullptr));
  } else if (table.complaints.empty()) {
    update(*options.update, published, table.files);
  }
  return complain(table.complaints) == 0 ? 0 : 2;
}

int show_errors(const Options& options, const Selection& kernels) {
  try {
    const ResultsFile file = read_results_file(options.files.empty() ? errors_file() : options.files.front());
    if (!options.update) {
      std::cout << fitted(render_errors(kernels, file));
      return 0;
    }
    const std::string text = render_errors(kernels, file);
    const auto updated = [&](const std::string& page_text, const std::filesystem::path& page) {
      return with_blocks(page_text, page, {{"errors", [&](const auto&) { return text; }}});
    };
    for (const std::string& line : rewrite_pages({*options.update}, updated)) std::cout << line << "\n";
    return 0;
  } catch (const UsageError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--errors: ") + error.what());
  }
}

}  // namespace flash_steps
