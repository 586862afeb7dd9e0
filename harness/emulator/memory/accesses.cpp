#include "harness/emulator/memory/accesses.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace flash_steps::emulator {

void Accesses::note(uint64_t byte, int bytes, int64_t cta, int thread, const Site& site) {
  const Record record{static_cast<uint32_t>(cta + 1), static_cast<uint16_t>(thread), number_of(site)};
  for (uint64_t cell = byte / cell_bytes; cell < (byte + bytes) / cell_bytes; cell++) {
    std::unique_ptr<Page>& page = pages_[cell / page_cells];
    if (!page) page = std::make_unique<Page>();
    Record& first = (*page)[cell % page_cells];
    if (first.cta == 0) {
      first = record;
    } else if (first.cta != record.cta) {
      std::vector<Access>& others = others_[cell];
      if (others.size() + 1 == most_ctas_) continue;
      if (others.empty() || others.back().cta != cta) others.push_back({cell, cta, thread, &site});
    }
  }
}

bool Accesses::has(uint64_t cell, int64_t cta) const {
  const Record* const first = record(cell);
  if (first == nullptr) return false;
  if (first->cta == cta + 1) return true;
  const auto others = others_.find(cell);
  return others != others_.end() &&
         std::any_of(others->second.begin(), others->second.end(), [&](const Access& a) { return a.cta == cta; });
}

void Accesses::mark(std::vector<bool>& cells) const {
  for (uint64_t cell = 0; cell < cells.size(); cell++) {
    if (record(cell) != nullptr) cells[cell] = true;
  }
}

std::vector<std::vector<Accesses::Access>> Accesses::conflicts(const Maps& writes) {
  std::set<uint64_t> cells;
  for (const Accesses* map : writes) {
    for (const auto& [cell, others] : map->others_) cells.insert(cell);
  }
  for (uint64_t page = 0; page < writes.front()->pages_.size(); page++) {
    std::vector<const Page*> written;
    for (const Accesses* map : writes) {
      if (map->pages_[page]) written.push_back(map->pages_[page].get());
    }
    if (written.size() < 2) continue;
    for (uint64_t cell = 0; cell < page_cells; cell++) {
      const auto is_written = [&](const Page* p) { return (*p)[cell].cta != 0; };
      if (std::count_if(written.begin(), written.end(), is_written) > 1) cells.insert(page * page_cells + cell);
    }
  }
  std::vector<std::vector<Access>> all;
  for (const uint64_t cell : cells) all.push_back(accesses_of(writes, cell));
  return all;
}

std::vector<Accesses::Race> Accesses::races(const Maps& reads, const Maps& writes) {
  const auto has_page = [](const Maps& maps, uint64_t page) {
    return std::any_of(maps.begin(), maps.end(), [&](const Accesses* map) { return map->pages_[page] != nullptr; });
  };
  const auto order = [](const Race& race) {
    return std::tuple(std::max(race.read.cta, race.write.cta), std::min(race.read.cta, race.write.cta), race.read.cta);
  };
  std::vector<Race> all;
  for (uint64_t page = 0; page < writes.front()->pages_.size(); page++) {
    if (!has_page(reads, page) || !has_page(writes, page)) continue;
    for (uint64_t cell = page * page_cells; cell < (page + 1) * page_cells; cell++) {
      std::optional<Race> first;
      const std::vector<Access> cell_writes = accesses_of(writes, cell);
      if (cell_writes.empty()) continue;
      for (const Access& read : accesses_of(reads, cell)) {
        for (const Access& write : cell_writes) {
          const Race race{read, write};
          if (read.cta != write.cta && (!first || order(race) < order(*first))) first = race;
        }
      }
      if (first) all.push_back(*first);
    }
  }
  return all;
}

const Accesses::Record* Accesses::record(uint64_t cell) const {
  const std::unique_ptr<Page>& page = pages_[cell / page_cells];
  return page && (*page)[cell % page_cells].cta != 0 ? &(*page)[cell % page_cells] : nullptr;
}

std::vector<Accesses::Access> Accesses::accesses_of(const Maps& maps, uint64_t cell) {
  std::vector<Access> accesses;
  for (const Accesses* map : maps) {
    const Record* const first = map->record(cell);
    if (first == nullptr) continue;
    accesses.push_back({cell, int64_t{first->cta} - 1, first->thread, map->sites_[first->site]});
    const auto others = map->others_.find(cell);
    if (others != map->others_.end()) accesses.insert(accesses.end(), others->second.begin(), others->second.end());
  }
  // A CTA runs on one worker, so no CTA is among them twice.
  std::sort(accesses.begin(), accesses.end(), [](const Access& a, const Access& b) { return a.cta < b.cta; });
  return accesses;
}

uint16_t Accesses::number_of(const Site& site) {
  const auto found = std::find(sites_.begin(), sites_.end(), &site);
  const auto number = found - sites_.begin();
  if (found == sites_.end()) sites_.push_back(&site);
  return static_cast<uint16_t>(number);
}

}  // namespace flash_steps::emulator
