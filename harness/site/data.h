// What the project keeps of its kernels, read once for all pages of the site.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/bound_stored.h"
#include "harness/predict/predict.h"
#include "harness/results/sweeps.h"
#include "harness/sass/stored_lines.h"
#include "harness/site/words.h"

namespace flash_steps {

/// One kernel's lines as the emulator counted them.
struct CountedLines {
  std::string config;
  std::string problem;  ///< in words
  std::vector<LineCounters> lines;
};

struct SiteData {
  Published published;
  std::vector<ResultsFile> files;  ///< with times of the published problems
  StoredBounds bounds;
  std::map<std::string, CountedLines> counted;  ///< by kernel
  std::optional<Predictor> predictor;  ///< of the machine code that is of today's kernels; nothing: none is stored
  ExplainedWords words;
  std::vector<std::string> complaints;  ///< a sentence for each kernel of which what is kept is not of today's text

  /// Of a kernel, in the order of its file as far as results tell it: the configs that are known of it.
  std::vector<std::string> configs_of(const std::string& kernel) const;
};

/// Throws UsageError for files of docs/results that cannot be read.
SiteData read_site_data(const std::filesystem::path& root);

}  // namespace flash_steps
