// Which function of a binary is which.
#pragma once

#include <string>

namespace flash_steps {

/// Whether a mangled symbol is the function of a Launch, "attention<fp16_t, 64, true>": of the same name, and with the
/// same template arguments in the same order.
bool is_symbol_of(const std::string& symbol, const std::string& function);

}  // namespace flash_steps
