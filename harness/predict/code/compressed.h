// Text made small enough for a file of JSON: deflated (zlib), in base 64.
#pragma once

#include <string>

namespace flash_steps {

std::string compressed(const std::string& text);

/// The opposite. Throws std::runtime_error for what is not such a text.
std::string decompressed(const std::string& text);

}  // namespace flash_steps
