// The terminal that the runner talks to, if it talks to one.
#pragma once

namespace flash_steps {

/// Columns that a line may have: those of the terminal on stdout, or of the variable COLUMNS; 110 where neither says,
/// as for a file or a pipe. At least 80: below that no table fits.
int page_width();

/// Whether stdout is a terminal that can move its cursor: where a pager may take over.
bool is_interactive();

/// Whether stdout may be coloured: it is a terminal that can (TERM is neither empty nor "dumb"), and NO_COLOR is not
/// set to anything.
bool coloured_stdout();

/// Whether a line on stderr may be rewritten in place, as progress is.
bool live_stderr();

}  // namespace flash_steps
