// What each source line of a kernel executed.
#pragma once

#include <unordered_map>

#include "harness/emulator/words/source_line.h"
#include "harness/emulator/words/word.h"
#include "harness/machine/counters.h"

namespace flash_steps::emulator {

/// One word on one source line.
struct Site {
  Word word = Word::none;
  SourceLine line;
  AccessCounters counters;
  uint64_t votes_won = 0;  ///< of any_of_warp: how often it was true
};

/// The sites that one worker came by. A Site keeps its address as long as the table lives.
class LineTable {
 public:
  Site& site(Word word, SourceLine line) {
    Site& site = sites_[Key{word, line.file, line.line}];
    site.word = word;
    site.line = line;
    return site;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, site] : sites_) visit(site);
  }

 private:
  struct Key {
    Word word;
    const char* file;
    int line;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const {
      return std::hash<const void*>()(key.file) ^ (static_cast<size_t>(key.line) * 31 + static_cast<size_t>(key.word));
    }
  };

  std::unordered_map<Key, Site, Hash> sites_;
};

}  // namespace flash_steps::emulator
