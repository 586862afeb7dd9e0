// The folder that a site is written into.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace flash_steps {

/// What a site consists of: the texts of its files, by their names from its folder on.
using SiteFiles = std::map<std::string, std::string>;

/// Throws UsageError unless a site may be written there: a folder that is not there yet, is empty, or holds a site that
/// this program made.
void check_site_folder(const std::filesystem::path& folder);

/// Writes those files that differ from what is there, and removes those of an earlier site that are not among them.
/// Throws UsageError for what check_site_folder refuses, and MachineError where the folder cannot be written.
void write_site(const SiteFiles& files, const std::filesystem::path& folder);

}  // namespace flash_steps
