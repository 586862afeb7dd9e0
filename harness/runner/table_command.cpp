#include "harness/runner/table_command.h"

#include <ostream>

#include "harness/pages/blocks.h"
#include "harness/pages/tables/ladder.h"
#include "harness/results/stored_times.h"

namespace flash_steps {

std::vector<std::string> show_table(std::ostream& out, const std::vector<const Kernel*>& kernels,
                                    const Options& options) {
  const Published published = read_published();
  const TableFiles table = options.files.empty() ? read_table_folder(stored_results(), published)
                                                 : read_table_files(options.files, published);
  if (!options.update) {
    std::optional<StoredBounds> bounds;
    if (options.bounds) bounds = read_stored_bounds();
    out << render_table(kernels, published, sweeps_of(table.files, published), bounds ? &*bounds : nullptr);
  } else if (table.complaints.empty()) {
    for (const std::string& line : update_pages(pages_to_update(*options.update), published, table.files)) {
      out << line << "\n";
    }
  }
  return table.complaints;
}

}  // namespace flash_steps
