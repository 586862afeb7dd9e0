#include "harness/runner/errors_command.h"

#include <ostream>
#include <stdexcept>

#include "harness/pages/page.h"
#include "harness/pages/tables/errors.h"
#include "harness/results/stored_times.h"

namespace flash_steps {
namespace {

std::string rendered(const std::vector<const Kernel*>& kernels, const std::filesystem::path& file) {
  try {
    return render_errors(kernels, read_results_file(file));
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--errors: ") + error.what());
  }
}

}  // namespace

void show_errors(std::ostream& out, const std::vector<const Kernel*>& kernels, const Options& options) {
  const std::string text =
      rendered(kernels, options.files.empty() ? stored_results() / "h100_errors.json" : options.files.front());
  if (!options.update) {
    out << text;
    return;
  }
  const auto updated = [&](const std::string& page_text, const std::filesystem::path& page) {
    return with_blocks(page_text, page, {{"errors", [&](const auto&) { return text; }}});
  };
  for (const std::string& line : rewrite_pages({*options.update}, updated)) out << line << "\n";
}

}  // namespace flash_steps
