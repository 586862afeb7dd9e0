// Where a word stands in a kernel file.
#pragma once

namespace flash_steps {

struct SourceLine {
  const char* file = "";  ///< path as the compiler was given it
  int line = 0;           ///< 0: nowhere

  /// The line that calls the function whose parameter has this as its default.
  static constexpr SourceLine here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace flash_steps
