#include "harness/emulator/memory/writers.h"

#include <algorithm>
#include <set>

namespace flash_steps::emulator {

void Writers::note(uint64_t byte, int bytes, int64_t cta, int thread, const Site& site) {
  const Record record{static_cast<uint32_t>(cta + 1), static_cast<uint16_t>(thread), number_of(site)};
  for (uint64_t cell = byte / cell_bytes; cell < (byte + bytes) / cell_bytes; cell++) {
    std::unique_ptr<Page>& page = pages_[cell / page_cells];
    if (!page) page = std::make_unique<Page>();
    Record& first = (*page)[cell % page_cells];
    if (first.cta == 0) {
      first = record;
    } else if (first.cta != record.cta) {
      std::vector<Write>& others = others_[cell];
      if (others.empty() || others.back().cta != cta) others.push_back({cell, cta, thread, &site});
    }
  }
}

std::vector<std::vector<Writers::Write>> Writers::conflicts(const std::vector<const Writers*>& maps) {
  std::set<uint64_t> cells;
  for (const Writers* map : maps) {
    for (const auto& [cell, others] : map->others_) cells.insert(cell);
  }
  for (uint64_t page = 0; page < maps.front()->pages_.size(); page++) {
    std::vector<const Page*> written;
    for (const Writers* map : maps) {
      if (map->pages_[page]) written.push_back(map->pages_[page].get());
    }
    if (written.size() < 2) continue;
    for (uint64_t cell = 0; cell < page_cells; cell++) {
      const auto is_written = [&](const Page* p) { return (*p)[cell].cta != 0; };
      if (std::count_if(written.begin(), written.end(), is_written) > 1) cells.insert(page * page_cells + cell);
    }
  }
  std::vector<std::vector<Write>> all;
  for (const uint64_t cell : cells) all.push_back(writes_of(maps, cell));
  return all;
}

std::vector<Writers::Write> Writers::writes_of(const std::vector<const Writers*>& maps, uint64_t cell) {
  std::vector<Write> writes;
  for (const Writers* map : maps) {
    const std::unique_ptr<Page>& page = map->pages_[cell / page_cells];
    if (!page || (*page)[cell % page_cells].cta == 0) continue;
    const Record& first = (*page)[cell % page_cells];
    writes.push_back({cell, int64_t{first.cta} - 1, first.thread, map->sites_[first.site]});
    const auto others = map->others_.find(cell);
    if (others != map->others_.end()) writes.insert(writes.end(), others->second.begin(), others->second.end());
  }
  // A CTA runs on one worker, so no CTA is among them twice.
  std::sort(writes.begin(), writes.end(), [](const Write& a, const Write& b) { return a.cta < b.cta; });
  return writes;
}

uint16_t Writers::number_of(const Site& site) {
  const auto found = std::find(sites_.begin(), sites_.end(), &site);
  const auto number = found - sites_.begin();
  if (found == sites_.end()) sites_.push_back(&site);
  return static_cast<uint16_t>(number);
}

}  // namespace flash_steps::emulator
