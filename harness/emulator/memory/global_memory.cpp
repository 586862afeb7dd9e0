#include "harness/emulator/memory/global_memory.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>
#include <tuple>

#include "harness/emulator/memory/counting.h"

namespace flash_steps::emulator {
namespace {

constexpr int access_bytes = 16;

// From the first byte of the buffer; negative in front of it.
int64_t offset_in(const GlobalBuffer& buffer, const void* address) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(buffer.data));
}

// How far the address lies from the buffer, to name the tensor that the kernel most likely meant.
int64_t distance(const GlobalBuffer& buffer, const void* address) {
  const int64_t offset = offset_in(buffer, address);
  return offset < 0 ? -offset : std::max<int64_t>(0, offset - static_cast<int64_t>(buffer.bytes));
}

GlobalMemory::SectorMap no_sectors(std::span<const GlobalBuffer> buffers) {
  GlobalMemory::SectorMap map;
  for (const GlobalBuffer& buffer : buffers) map.emplace_back((buffer.bytes + sector_bytes - 1) / sector_bytes);
  return map;
}

}  // namespace

GlobalMemory::GlobalMemory(std::span<const GlobalBuffer> buffers, HazardLog& hazards)
    : buffers_(buffers), hazards_(hazards), sectors_read_(no_sectors(buffers)), sectors_written_(no_sectors(buffers)) {
  for (const GlobalBuffer& buffer : buffers) writers_.emplace_back(buffer.bytes);
}

void GlobalMemory::begin_cta(Dim3 cta, int64_t cta_number) {
  cta_ = cta;
  cta_number_ = cta_number;
}

void GlobalMemory::read(int thread, const void* from, const Site& site, void* to) {
  const GlobalBuffer* buffer = accessible(thread, from, site);
  if (buffer == nullptr) {
    std::memset(to, 0, access_bytes);
    return;
  }
  std::memcpy(to, from, access_bytes);
  sectors_read_[buffer - buffers_.data()][offset_in(*buffer, from) / sector_bytes] = true;
}

void GlobalMemory::write(int thread, void* to, const Site& site, const void* from) {
  const GlobalBuffer* buffer = accessible(thread, to, site);
  if (buffer == nullptr) return;
  const int64_t byte = offset_in(*buffer, to);
  if (!buffer->writable) {
    report(HazardKind::global_read_only, *buffer, byte, thread, site);
    return;
  }
  std::memcpy(to, from, access_bytes);
  const auto number = buffer - buffers_.data();
  sectors_written_[number][byte / sector_bytes] = true;
  writers_[number].note(static_cast<uint64_t>(byte), access_bytes, cta_number_, thread, site);
}

const GlobalBuffer* GlobalMemory::accessible(int thread, const void* address, const Site& site) {
  const GlobalBuffer* nearest = nullptr;
  for (const GlobalBuffer& buffer : buffers_) {
    const int64_t byte = offset_in(buffer, address);
    if (byte >= 0 && byte < static_cast<int64_t>(buffer.bytes)) {
      if (byte + access_bytes > static_cast<int64_t>(buffer.bytes)) {
        report(HazardKind::global_out_of_bounds, buffer, byte, thread, site);
        return nullptr;
      }
      if (byte % access_bytes != 0) {
        report(HazardKind::global_misaligned, buffer, byte, thread, site);
        return nullptr;
      }
      return &buffer;
    }
    if (nearest == nullptr || distance(buffer, address) < distance(*nearest, address)) nearest = &buffer;
  }
  const GlobalBuffer none{.name = "global memory", .data = nullptr, .bytes = 0, .writable = false};
  const GlobalBuffer& meant = nearest == nullptr ? none : *nearest;
  report(HazardKind::global_out_of_bounds, meant, offset_in(meant, address), thread, site);
  return nullptr;
}

void GlobalMemory::report(HazardKind kind, const GlobalBuffer& buffer, int64_t byte, int thread, const Site& site) {
  if (!hazards_.is_new(kind, nullptr, &site)) return;
  Hazard hazard;
  hazard.kind = kind;
  hazard.later = access(&site, thread);
  hazard.tensor = buffer.name;
  hazard.byte = byte;
  hazard.size = static_cast<int64_t>(buffer.bytes);
  hazards_.add(hazard);
}

std::vector<HazardLog::Entry> write_conflicts(std::span<const GlobalMemory* const> memories,
                                              const std::function<Dim3(int64_t cta_number)>& index) {
  // By lines, since each worker has sites of its own.
  using Line = std::tuple<std::string_view, int, Word>;
  const auto line_of = [](const Site& site) { return Line{site.line.file, site.line.line, site.word}; };
  std::map<std::pair<Line, Line>, HazardLog::Entry> found;
  const std::span<const GlobalBuffer> buffers = memories.front()->buffers();
  for (size_t b = 0; b < buffers.size(); b++) {
    std::vector<const Writers*> maps;
    for (const GlobalMemory* memory : memories) maps.push_back(&memory->writers()[b]);
    for (const std::vector<Writers::Write>& writes : Writers::conflicts(maps)) {
      for (size_t i = 1; i < writes.size(); i++) {
        const Writers::Write& earlier = writes[i - 1];
        const Writers::Write& later = writes[i];
        const std::pair lines(line_of(*earlier.site), line_of(*later.site));
        const auto known = found.find(lines);
        if (known != found.end() && known->second.cta_number <= later.cta) continue;
        Hazard hazard;
        hazard.kind = HazardKind::global_write_conflict;
        hazard.cta = index(later.cta);
        hazard.earlier = access(earlier.site, earlier.thread);
        hazard.earlier_cta = index(earlier.cta);
        hazard.later = access(later.site, later.thread);
        hazard.tensor = buffers[b].name;
        hazard.byte = static_cast<int64_t>(later.cell) * Writers::cell_bytes;
        hazard.size = static_cast<int64_t>(buffers[b].bytes);
        found.insert_or_assign(lines, HazardLog::Entry{later.cta, hazard});
      }
    }
  }
  std::vector<HazardLog::Entry> entries;
  for (auto& [lines, entry] : found) entries.push_back(std::move(entry));
  return entries;
}

}  // namespace flash_steps::emulator
