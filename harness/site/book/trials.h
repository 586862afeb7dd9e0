// Words of the glossary and pictures that an instrument lets one try, in a state that shows what they say.
#pragma once

#include <string>
#include <vector>

namespace flash_steps {

struct Trial {
  const char* anchor;  ///< of the word in the glossary, "bank-conflict", or the picture's file: "01_base.svg"
  const char* file;    ///< of the instrument, from the site's folder on
  const char* state;   ///< as it stands in its address; what is left out is as the instrument has it at first
};

const std::vector<Trial>& trials();

/// nullptr if there is none of this word.
const Trial* trial_of(const std::string& anchor);

}  // namespace flash_steps
