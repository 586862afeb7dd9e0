// Long texts on a terminal.
#pragma once

#include <string>

namespace flash_steps {

/// Shows a text on stdout; on a terminal that it is longer than, through the program of the variable PAGER (less, if it
/// is not set; none, if it is empty or cat).
void show_in_pager(const std::string& text);

}  // namespace flash_steps
