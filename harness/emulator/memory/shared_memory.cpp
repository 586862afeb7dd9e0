#include "harness/emulator/memory/shared_memory.h"

#include <algorithm>
#include <cstring>

namespace flash_steps::emulator {

SharedMemory::SharedMemory(int bytes, int threads, HazardLog& hazards)
    : hazards_(hazards),
      warps_(threads / warp_lanes),
      clocks_(warps_),
      bytes_(bytes),
      writes_((bytes + cell_bytes - 1) / cell_bytes),
      reads_(warps_, std::vector<Read>(writes_.size())),
      threads_(threads),
      met_(warps_) {}

void SharedMemory::reset() {
  std::fill(bytes_.begin(), bytes_.end(), poison);
  std::fill(writes_.begin(), writes_.end(), Write{});
  for (std::vector<Read>& reads : reads_) std::fill(reads.begin(), reads.end(), Read{});
  for (Thread& thread : threads_) {
    thread.groups.clear();
    thread.completed = 0;
    thread.open_copy = nullptr;
    thread.fences.clear();
  }
  async_reads_.clear();
  clocks_.reset();
  std::fill(met_.begin(), met_.end(), 0);
}

void SharedMemory::barrier() {
  clocks_.meet();
  for (int warp = 0; warp < warps_; warp++) met_[warp] = clocks_.now(warp);
}

void SharedMemory::warp_barrier(int warp) {
  clocks_.tick(warp);
  met_[warp] = clocks_.now(warp);
}

void SharedMemory::commit(int thread, const Site& site) {
  Thread& state = threads_[thread];
  state.groups.push_back({state.open_copy, &site, {}});
  state.open_copy = nullptr;
}

void SharedMemory::wait(int thread, int pending) {
  Thread& state = threads_[thread];
  const uint32_t now = clocks_.now(thread / warp_lanes);
  for (; state.completed + pending < state.groups.size(); state.completed++) {
    state.groups[state.completed].waited = now;
  }
}

void SharedMemory::read(int thread, uint32_t address, int bytes, const Site& site, void* to) {
  if (!accessible(thread, address, bytes, site)) {
    std::memset(to, 0, bytes);
    return;
  }
  const uint32_t offset = address - shared_base();
  for (uint32_t cell = offset / cell_bytes; cell < (offset + bytes) / cell_bytes; cell++) {
    check_read(thread, cell, site);
    note_read(thread, cell, site);
  }
  std::memcpy(to, &bytes_[offset], bytes);
}

void SharedMemory::write(int thread, uint32_t address, int bytes, const Site& site, const void* from) {
  if (!accessible(thread, address, bytes, site)) return;
  const uint32_t offset = address - shared_base();
  const uint32_t now = clocks_.now(thread / warp_lanes);
  for (uint32_t cell = offset / cell_bytes; cell < (offset + bytes) / cell_bytes; cell++) {
    check_write(thread, cell, site);
    writes_[cell] = {&site, thread, 0, now};
  }
  std::memcpy(&bytes_[offset], from, bytes);
}

void SharedMemory::copy(int thread, uint32_t address, int bytes, const Site& site, const void* from) {
  Thread& state = threads_[thread];
  if (state.open_copy == nullptr) state.open_copy = &site;
  if (!accessible(thread, address, bytes, site)) return;
  const uint32_t offset = address - shared_base();
  const auto group = static_cast<uint32_t>(state.groups.size() + 1);
  for (uint32_t cell = offset / cell_bytes; cell < (offset + bytes) / cell_bytes; cell++) {
    check_write(thread, cell, site);
    writes_[cell] = {&site, thread, group, 0};
  }
  std::memcpy(&bytes_[offset], from, bytes);
}

void SharedMemory::exit(int thread) {
  const Thread& state = threads_[thread];
  if (state.open_copy != nullptr && hazards_.is_new(HazardKind::copy_not_committed, state.open_copy, nullptr)) {
    Hazard hazard;
    hazard.kind = HazardKind::copy_not_committed;
    hazard.earlier = access(state.open_copy, thread);
    hazard.later = access(nullptr, thread);
    hazards_.add(hazard);
  }
  for (size_t i = state.completed; i < state.groups.size(); i++) {
    const Group& group = state.groups[i];
    if (group.first_copy == nullptr) continue;
    if (!hazards_.is_new(HazardKind::copy_not_waited_for, group.first_copy, group.commit)) continue;
    Hazard hazard;
    hazard.kind = HazardKind::copy_not_waited_for;
    hazard.earlier = access(group.first_copy, thread);
    hazard.later = access(group.commit, thread);
    hazard.groups_behind = static_cast<int>(state.groups.size() - i - 1);
    hazards_.add(hazard);
  }
}

bool SharedMemory::accessible(int thread, uint32_t address, int bytes, const Site& site) {
  const int64_t offset = int64_t{address} - shared_base();
  if (offset < 0 || offset + bytes > static_cast<int64_t>(bytes_.size())) {
    report(HazardKind::shared_out_of_bounds, nullptr, 0, site, thread, offset);
    return false;
  }
  if (offset % bytes != 0) {
    report(HazardKind::shared_misaligned, nullptr, 0, site, thread, offset);
    return false;
  }
  touched_bytes_ = std::max(touched_bytes_, offset + bytes);
  return true;
}

bool SharedMemory::in_flight(const Write& write) const {
  return write.group != 0 && write.group > threads_[write.thread].completed;
}

uint32_t SharedMemory::time_of(const Write& write) const {
  return write.group == 0 ? write.time : threads_[write.thread].groups[write.group - 1].waited;
}

bool SharedMemory::ordered_before(const Write& write, int thread) const {
  if (write.thread == thread) return true;
  const int warp = thread / warp_lanes;
  if (write.thread < 0) return clocks_.knows(warp, ~write.thread, write.time);
  const int writer = write.thread / warp_lanes;
  return writer == warp ? time_of(write) < met_[warp] : clocks_.knows(warp, writer, time_of(write));
}

int SharedMemory::groups_behind(const Write& write) const {
  return static_cast<int>(threads_[write.thread].groups.size()) - static_cast<int>(write.group);
}

void SharedMemory::check_read(int thread, size_t cell, const Site& site) {
  const Write& write = writes_[cell];
  const auto byte = static_cast<int64_t>(cell) * cell_bytes;
  if (write.site == nullptr) {
    report(HazardKind::read_of_unwritten, nullptr, 0, site, thread, byte);
  } else if (write.thread < 0) {
    if (!ordered_before(write, thread)) report(HazardKind::read_of_tma_copy, write.site, 0, site, thread, byte);
  } else if (in_flight(write)) {
    report(HazardKind::read_of_copy_in_flight, write.site, write.thread, site, thread, byte, groups_behind(write));
  } else if (!ordered_before(write, thread)) {
    report(HazardKind::read_before_barrier, write.site, write.thread, site, thread, byte);
  }
}

void SharedMemory::check_write(int thread, size_t cell, const Site& site) {
  const Write& write = writes_[cell];
  const auto byte = static_cast<int64_t>(cell) * cell_bytes;
  if (write.site != nullptr) {
    if (write.thread < 0) {
      if (!ordered_before(write, thread)) report(HazardKind::write_over_tma_copy, write.site, 0, site, thread, byte);
    } else if (in_flight(write)) {
      report(HazardKind::write_over_copy_in_flight, write.site, write.thread, site, thread, byte, groups_behind(write));
    } else if (!ordered_before(write, thread)) {
      report(HazardKind::write_after_write, write.site, write.thread, site, thread, byte);
    }
  }
  check_reads_of_warps(thread, cell, site);
  if (!async_reads_.empty()) check_async_reads(thread, cell, site);
}

void SharedMemory::check_reads_of_warps(int thread, size_t cell, const Site& site) {
  const int own_warp = thread / warp_lanes;
  const auto byte = static_cast<int64_t>(cell) * cell_bytes;
  for (int warp = 0; warp < warps_; warp++) {
    const Read& read = reads_[warp][cell];
    if (read.site == nullptr) continue;
    if (warp == own_warp) {
      const int reader = read.thread == thread ? read.other : read.thread;
      if (reader != thread && read.time >= met_[warp]) {
        report(HazardKind::write_after_read, read.site, reader, site, thread, byte);
      }
    } else if (!clocks_.knows(own_warp, warp, read.time)) {
      report(HazardKind::write_after_read, read.site, read.thread, site, thread, byte);
    }
  }
}

void SharedMemory::note_read(int thread, size_t cell, const Site& site) {
  const int warp = thread / warp_lanes;
  Read& read = reads_[warp][cell];
  // Of the lanes that read since they last met, two tell a writer that is one of them of another.
  int other = thread;
  if (read.site != nullptr && read.time >= met_[warp]) other = read.thread != thread ? read.thread : read.other;
  read = {&site, clocks_.now(warp), static_cast<int16_t>(thread), static_cast<int16_t>(other)};
}

void SharedMemory::report_matrix(int thread, uint32_t address, int row_bytes, const Site& site) {
  if (!hazards_.is_new(HazardKind::matrix_address, nullptr, &site)) return;
  Hazard hazard;
  hazard.kind = HazardKind::matrix_address;
  hazard.later = access(&site, thread);
  hazard.byte = int64_t{address} - shared_base();
  hazard.size = row_bytes;
  hazards_.add(hazard);
}

void SharedMemory::report(HazardKind kind, const Site* earlier, int earlier_thread, const Site& later, int thread,
                          int64_t byte, int groups_behind) {
  if (!hazards_.is_new(kind, earlier, &later)) return;
  Hazard hazard;
  hazard.kind = kind;
  hazard.earlier = access(earlier, earlier_thread);
  hazard.later = access(&later, thread);
  hazard.byte = byte;
  hazard.size = static_cast<int64_t>(bytes_.size());
  hazard.groups_behind = groups_behind;
  hazards_.add(hazard);
}

}  // namespace flash_steps::emulator
