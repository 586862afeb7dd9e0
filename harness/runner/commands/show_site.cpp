#include <filesystem>
#include <iostream>

#include "harness/base/folders.h"
#include "harness/runner/commands/commands.h"
#include "harness/site/site.h"

namespace flash_steps {

int show_site(const Options& options) {
  check_site_folder(options.site);
  const MadeSite site = make_site(source_folder(), kernels());
  write_site(site.files, options.site);
  std::cout << (std::filesystem::absolute(options.site) / "index.html").lexically_normal().string() << "\n";
  for (const std::string& complaint : site.complaints) say(complaint);
  return 0;
}

}  // namespace flash_steps
