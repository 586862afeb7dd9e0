#include "harness/emulator/memory/global_memory.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>

#include "harness/emulator/memory/counting.h"

namespace flash_steps::emulator {
namespace {

// From the first byte of the buffer; negative in front of it.
int64_t offset_in(const GlobalBuffer& buffer, const void* address) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(buffer.data));
}

// How far the address lies from the buffer, to name the tensor that the kernel most likely meant.
int64_t distance(const GlobalBuffer& buffer, const void* address) {
  const int64_t offset = offset_in(buffer, address);
  return offset < 0 ? -offset : std::max<int64_t>(0, offset - static_cast<int64_t>(buffer.bytes));
}

// Each pair of lines once. By lines and not by sites, since each worker has sites of its own.
class Conflicts {
 public:
  void add(const Site& earlier, const Site& later, const HazardLog::Entry& entry) {
    const auto [known, is_new] = found_.insert({{line_of(earlier), line_of(later)}, entry});
    if (!is_new && entry.cta_number < known->second.cta_number) known->second = entry;
  }

  std::vector<HazardLog::Entry> entries() && {
    std::vector<HazardLog::Entry> entries;
    for (auto& [lines, entry] : found_) entries.push_back(std::move(entry));
    return entries;
  }

 private:
  using Line = std::tuple<std::string_view, int, Word>;
  static Line line_of(const Site& site) { return {site.line.file, site.line.line, site.word}; }

  std::map<std::pair<Line, Line>, HazardLog::Entry> found_;
};

// Reads of a cell that are kept, and additions: one more than a CTA whose own writes they might see.
constexpr size_t most_readers = 2;
constexpr size_t any_number = std::numeric_limits<size_t>::max();

}  // namespace

GlobalMemory::GlobalMemory(std::span<const GlobalBuffer> buffers, HazardLog& hazards)
    : buffers_(buffers), hazards_(hazards) {
  for (const GlobalBuffer& buffer : buffers) {
    sectors_read_.emplace_back(buffer.bytes);
    sectors_written_.emplace_back(buffer.bytes);
    reads_.emplace_back(buffer.bytes, most_readers);
    writes_.emplace_back(buffer.bytes, any_number);
    adders_.emplace_back(buffer.bytes, most_readers);
  }
}

void GlobalMemory::begin_cta(Dim3 cta, int64_t cta_number) {
  cta_ = cta;
  cta_number_ = cta_number;
}

void GlobalMemory::read(int thread, const void* from, int bytes, const Site& site, void* to) {
  const GlobalBuffer* buffer = accessible(thread, from, bytes, site);
  if (buffer == nullptr) {
    std::memset(to, 0, bytes);
    return;
  }
  std::memcpy(to, from, bytes);
  const int64_t byte = offset_in(*buffer, from);
  const auto number = buffer - buffers_.data();
  sectors_read_[number].add_that_of(byte);
  if (!buffer->writable) return;
  check_written(number, byte, bytes, thread, site);
  check_not_added_to(number, byte, bytes, thread, site);
  reads_[number].note(static_cast<uint64_t>(byte), bytes, cta_number_, thread, site);
}

void GlobalMemory::check_written(size_t buffer, int64_t byte, int bytes, int thread, const Site& site) {
  const std::vector<bool>* const written = buffers_[buffer].written;
  if (written == nullptr) return;
  for (int64_t at = byte; at < byte + bytes; at += Accesses::cell_bytes) {
    const uint64_t cell = at / Accesses::cell_bytes;
    if ((*written)[cell] || writes_[buffer].has(cell, cta_number_)) continue;
    return report(HazardKind::global_read_of_unwritten, buffers_[buffer], at, thread, site);
  }
}

void GlobalMemory::write(int thread, void* to, int bytes, const Site& site, const void* from) {
  const GlobalBuffer* buffer = accessible(thread, to, bytes, site);
  if (buffer == nullptr) return;
  const int64_t byte = offset_in(*buffer, to);
  if (!buffer->writable) {
    report(HazardKind::global_read_only, *buffer, byte, thread, site);
    return;
  }
  std::memcpy(to, from, bytes);
  const auto number = buffer - buffers_.data();
  check_not_added_to(number, byte, bytes, thread, site);
  sectors_written_[number].add_that_of(byte);
  writes_[number].note(static_cast<uint64_t>(byte), bytes, cta_number_, thread, site);
}

void GlobalMemory::add(int thread, void* to, const Site& site, const void* value) {
  constexpr int bytes = sizeof(float);
  const GlobalBuffer* buffer = accessible(thread, to, bytes, site);
  if (buffer == nullptr) return;
  const int64_t byte = offset_in(*buffer, to);
  if (!buffer->writable) {
    report(HazardKind::global_read_only, *buffer, byte, thread, site);
    return;
  }
  additions_.push_back({static_cast<float*>(to), *static_cast<const float*>(value)});
  const auto number = buffer - buffers_.data();
  sectors_read_[number].add_that_of(byte);
  sectors_written_[number].add_that_of(byte);
  check_written(number, byte, bytes, thread, site);
  adders_[number].note(static_cast<uint64_t>(byte), bytes, cta_number_, thread, site);
}

// By this CTA: what the others add shows when all have ended.
void GlobalMemory::check_not_added_to(size_t buffer, int64_t byte, int bytes, int thread, const Site& site) {
  for (int64_t at = byte; at < byte + bytes; at += Accesses::cell_bytes) {
    if (!adders_[buffer].has(at / Accesses::cell_bytes, cta_number_)) continue;
    return report(HazardKind::global_access_of_sum, buffers_[buffer], at, thread, site);
  }
}

const GlobalBuffer* GlobalMemory::accessible(int thread, const void* address, int bytes, const Site& site) {
  const GlobalBuffer* nearest = nullptr;
  for (const GlobalBuffer& buffer : buffers_) {
    const int64_t byte = offset_in(buffer, address);
    if (byte >= 0 && byte < static_cast<int64_t>(buffer.bytes)) {
      if (byte + bytes > static_cast<int64_t>(buffer.bytes)) {
        report(HazardKind::global_out_of_bounds, buffer, byte, thread, site);
        return nullptr;
      }
      if (byte % bytes != 0) {
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

std::vector<HazardLog::Entry> cta_conflicts(std::span<const GlobalMemory* const> memories,
                                            const std::function<Dim3(int64_t cta_number)>& index) {
  Conflicts found;
  const std::span<const GlobalBuffer> buffers = memories.front()->buffers();
  for (size_t b = 0; b < buffers.size(); b++) {
    const auto hazard = [&](HazardKind kind, const Accesses::Access& earlier, const Accesses::Access& later) {
      Hazard hazard;
      hazard.kind = kind;
      hazard.cta = index(later.cta);
      hazard.earlier = access(earlier.site, earlier.thread);
      hazard.earlier_cta = index(earlier.cta);
      hazard.later = access(later.site, later.thread);
      hazard.tensor = buffers[b].name;
      hazard.byte = static_cast<int64_t>(later.cell) * Accesses::cell_bytes;
      hazard.size = static_cast<int64_t>(buffers[b].bytes);
      found.add(*earlier.site, *later.site, {std::max(earlier.cta, later.cta), hazard});
    };
    Accesses::Maps reads, writes, additions;
    for (const GlobalMemory* memory : memories) {
      reads.push_back(&memory->reads()[b]);
      writes.push_back(&memory->writes()[b]);
      additions.push_back(&memory->additions()[b]);
    }
    for (const std::vector<Accesses::Access>& of_cell : Accesses::conflicts(writes)) {
      for (size_t i = 1; i < of_cell.size(); i++) {
        hazard(HazardKind::global_write_conflict, of_cell[i - 1], of_cell[i]);
      }
    }
    for (const Accesses::Race& race : Accesses::races(reads, writes)) {
      hazard(HazardKind::global_read_conflict, race.write, race.read);
    }
    for (const Accesses::Maps& others : {reads, writes}) {
      for (const Accesses::Race& race : Accesses::races(others, additions)) {
        hazard(HazardKind::global_sum_conflict, race.write, race.read);
      }
    }
  }
  return std::move(found).entries();
}

}  // namespace flash_steps::emulator
