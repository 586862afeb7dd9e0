// Mutants that no check can tell from their kernel, with the reason.
#pragma once

#include <string>
#include <vector>

#include "mutants/mutant.h"

namespace flash_steps::mutants {

struct Equivalent {
  std::string kernel;
  std::string mistake;
  std::string before;  ///< the line, as Mutant::before
  std::string after;
  std::string next;    ///< the line behind it, without the spaces around it, which tells it from others like it
  std::string reason;  ///< a sentence
};

/// All that are known.
const std::vector<Equivalent>& equivalents();

/// The entry of a list for this mutant; null if there is none.
const Equivalent* find_equivalent(const Mutant& mutant, const std::vector<Equivalent>& list);

}  // namespace flash_steps::mutants
