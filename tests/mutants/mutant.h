// A mutant: a kernel file with one mistake in it.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace flash_steps::mutants {

struct Mutant {
  std::string kernel;   ///< "03_eager_loads"
  std::string mistake;  ///< what kind of mistake, as operators.h names it
  int line = 0;         ///< that differs, from 1
  std::string before;   ///< that line, without the spaces around it
  std::string after;
  std::string text;  ///< of the whole file, with as many lines as the kernel's

  /// The file as it is, to show that it is the mistake that is found.
  bool is_control() const { return mistake.empty(); }
};

/// A pattern of the catalogue does not fit the kernel files, or what it makes does not compile.
struct CatalogueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "barrier-removed at 03_eager_loads.cu:113"
inline std::string describe(const Mutant& mutant) {
  const std::string file = mutant.kernel + ".cu";
  return mutant.is_control() ? file + " as it is" : mutant.mistake + " at " + file + ":" + std::to_string(mutant.line);
}

}  // namespace flash_steps::mutants
