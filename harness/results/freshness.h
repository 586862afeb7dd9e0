// Whether results still speak of today's code of a kernel.
#pragma once

#include <string>

#include "harness/contract/registry.h"

namespace flash_steps {

/// A hash of a text of C++ that comments, blanks and ends of lines do not change: 64 bits of FNV-1a, as 16 digits.
std::string code_hash(const std::string& text);

/// That of the kernel's file as it is now; empty if the file is not to be found.
std::string code_hash(const Kernel& kernel);

}  // namespace flash_steps
