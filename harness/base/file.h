// Files that a command line names: read whole, and written so that nothing is lost.
#pragma once

#include <filesystem>
#include <string>

namespace flash_steps {

/// The name under which stdout is a file.
inline constexpr const char* stdout_name = "-";

/// What a file holds. Throws std::runtime_error, with a sentence that names the file, unless it is a regular file of a
/// gigabyte at most that can be read: a device or a pipe may never end.
std::string read_file(const std::filesystem::path& file);

/// Throws std::runtime_error, with a sentence, unless write_file could write there now. Changes nothing.
void check_writable(const std::filesystem::path& file);

/// Writes a file so that a reader never sees half of it: to a temporary name beside it, which is then renamed to it.
/// What the name links to is written, and not the link; the file's mode stays; and what is no regular file (a device, a
/// pipe) or is stdout_name is written directly. Throws std::runtime_error: a folder, a folder that is missing, a file
/// whose mode lets nobody write it, a disk that is full.
void write_file(const std::string& text, const std::filesystem::path& file);

}  // namespace flash_steps
