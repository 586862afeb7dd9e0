// The study site: the pages of the book beside the kernels, as files for a browser. They ask for nothing outside their
// own folder, and open from a disk as from a server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/site/folder.h"

namespace flash_steps {

struct MadeSite {
  SiteFiles files;
  std::vector<std::string> complaints;  ///< of what is left out, a sentence each
};

/// Of the pages and kernels of a source folder. Throws UsageError, with the file and the line, for a page with a
/// marker, a link or a quoted line that does not exist; MachineError where this build has no text tools.
MadeSite make_site(const std::filesystem::path& root, const std::vector<Kernel>& kernels);

}  // namespace flash_steps
