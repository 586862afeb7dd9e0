#include "harness/pages/navigation.h"

#include <vector>

#include "harness/base/text.h"
#include "harness/pages/tables/times/overview.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

std::string link(const std::string& text, const fs::path& target, const Kernel& from) {
  return "[" + text + "](" + target.lexically_relative(from.page_path().parent_path()).string() + ")";
}

std::string link_to(const Kernel& kernel, const Kernel& from) {
  return link(kernel.name, kernel.page_path(), from) + ", " + idea_of(kernel);
}

}  // namespace

std::string render_navigation(const Kernel& kernel) {
  std::vector<std::string> parts;
  if (const Kernel* before = step_before(kernel)) parts.push_back("Previous: " + link_to(*before, kernel));
  for (const Kernel& other : kernels()) {
    if (step_before(other) == &kernel) parts.push_back("Next: " + link_to(other, kernel));
  }
  parts.push_back(link("All steps", "README.md", kernel));
  parts.push_back(link("Glossary", "docs/method/glossary.md", kernel));
  return join(parts, " · ") + "\n";
}

}  // namespace flash_steps
