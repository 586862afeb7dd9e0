// The accesses of what works beside the warps: the TMA unit, and the tensor cores that read shared memory by
// themselves.

#include <algorithm>
#include <cstring>

#include "harness/emulator/memory/shared_memory.h"

namespace flash_steps::emulator {

void SharedMemory::proxy_fence(int thread) { threads_[thread].fences.push_back(clocks_.now(thread / warp_lanes)); }

void SharedMemory::begin_async_write(int thread, uint32_t address, int bytes, const Site& site, int agent,
                                     uint32_t time) {
  if (!accessible(thread, address, bytes, site)) return;
  const uint32_t offset = address - shared_base();
  const int warp = thread / warp_lanes;
  for (uint32_t cell = offset / cell_bytes; cell < (offset + bytes) / cell_bytes; cell++) {
    check_write(thread, cell, site);
    check_fence({&warp, 1}, thread, cell, site);
    writes_[cell] = {&site, ~agent, 0, time};
  }
  std::fill_n(bytes_.begin() + offset, bytes, poison);
}

void SharedMemory::land(uint32_t address, int bytes, const void* from) {
  const int64_t offset = int64_t{address} - shared_base();
  if (offset < 0 || offset + bytes > static_cast<int64_t>(bytes_.size())) return;  // reported when it began
  std::memcpy(&bytes_[offset], from, bytes);
}

void SharedMemory::async_read(std::span<const int> warps, int thread, uint32_t address, int bytes, const Site& site,
                              int agent, uint32_t time, void* to) {
  if (!accessible(thread, address, bytes, site)) {
    std::memset(to, 0, bytes);
    return;
  }
  const uint32_t offset = address - shared_base();
  AsyncReads& noted = async_reads_of(agent);
  for (uint32_t cell = offset / cell_bytes; cell < (offset + bytes) / cell_bytes; cell++) {
    for (const int warp : warps) check_read(warp * warp_lanes + thread % warp_lanes, cell, site);
    check_fence(warps, thread, cell, site);
    noted.reads[cell] = {&site, time, static_cast<int16_t>(thread), static_cast<int16_t>(thread)};
  }
  std::memcpy(to, &bytes_[offset], bytes);
}

SharedMemory::AsyncReads& SharedMemory::async_reads_of(int agent) {
  const auto found =
      std::find_if(async_reads_.begin(), async_reads_.end(), [&](const AsyncReads& r) { return r.agent == agent; });
  if (found != async_reads_.end()) return *found;
  return async_reads_.emplace_back(AsyncReads{agent, std::vector<Read>(writes_.size())});
}

void SharedMemory::end_async_reads(int thread, int agent, uint32_t time) {
  const int warp = thread / warp_lanes;
  clocks_.learn(warp, agent, time);
  AsyncReads& noted = async_reads_of(agent);
  noted.waiter = thread;
  noted.waited = clocks_.now(warp);
}

void SharedMemory::check_async_reads(int thread, size_t cell, const Site& site) {
  const int warp = thread / warp_lanes;
  for (const AsyncReads& noted : async_reads_) {
    const Read& read = noted.reads[cell];
    if (read.site == nullptr) continue;
    const bool of_another_lane = noted.waiter >= 0 && noted.waiter != thread && noted.waiter / warp_lanes == warp;
    const bool known = clocks_.knows(warp, noted.agent, read.time);
    if (known && !(of_another_lane && noted.waited >= met_[warp])) continue;
    report(HazardKind::write_under_async_read, read.site, read.thread, site, thread,
           static_cast<int64_t>(cell) * cell_bytes);
  }
}

bool SharedMemory::fenced_before(const Write& write, int warp) const {
  const std::vector<uint32_t>& fences = threads_[write.thread].fences;
  const auto fence = std::lower_bound(fences.begin(), fences.end(), time_of(write));
  return fence != fences.end() && clocks_.knows(warp, write.thread / warp_lanes, *fence);
}

// Of what a thread wrote itself: the unit reads or writes by another path.
void SharedMemory::check_fence(std::span<const int> warps, int thread, size_t cell, const Site& site) {
  const Write& write = writes_[cell];
  if (write.site == nullptr || write.thread < 0 || in_flight(write)) return;
  const bool fenced = std::all_of(warps.begin(), warps.end(), [&](int warp) { return fenced_before(write, warp); });
  if (fenced) return;
  report(HazardKind::no_proxy_fence, write.site, write.thread, site, thread, static_cast<int64_t>(cell) * cell_bytes);
}

}  // namespace flash_steps::emulator
