#include "harness/emulator/async/tma.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "harness/emulator/memory/counting.h"

namespace flash_steps::emulator {
namespace {

constexpr int element_bytes = 2;
constexpr uint32_t swizzle_atom_bytes = 1024;  // eight rows of 128 bytes
constexpr uint32_t alignment = 128;

}  // namespace

void Tma::reset() {
  rows_.clear();
  stores_.clear();
}

bool Tma::usable(int thread, const TmaCopy& copy, const Site& site) {
  const uint32_t multiple = copy.map.swizzle_128 ? swizzle_atom_bytes : alignment;
  if (copy.smem % multiple == 0) return true;
  hazards_.add(HazardKind::tma_misused, nullptr, site, thread,
               "has a box at byte " + std::to_string(int64_t{copy.smem} - shared_base()) +
                   " of shared memory: a multiple of " + std::to_string(multiple) + " works.");
  return false;
}

// Calls visit(smem, gmem) for each row of the box, one after the other in shared memory; gmem is null where the row is
// outside of the tensor.
template <typename Visit>
void Tma::for_each_row(const TmaCopy& copy, Visit visit) {
  const TensorMapShape& map = copy.map;
  uint32_t smem = copy.smem;
  std::array<uint32_t, 5> at{};
  for (at[4] = 0; at[4] < map.box[4]; at[4]++) {
    for (at[3] = 0; at[3] < map.box[3]; at[3]++) {
      for (at[2] = 0; at[2] < map.box[2]; at[2]++) {
        for (at[1] = 0; at[1] < map.box[1]; at[1]++, smem += map.box[0] * element_bytes) {
          const char* gmem = static_cast<const char*>(map.base) + int64_t{copy.coordinates[0]} * element_bytes;
          bool inside = copy.coordinates[0] >= 0 && copy.coordinates[0] + map.box[0] <= map.sizes[0];
          for (int d = 1; d < 5; d++) {
            const int64_t place = int64_t{copy.coordinates[d]} + at[d];
            inside &= place >= 0 && place < static_cast<int64_t>(map.sizes[d]);
            gmem += place * static_cast<int64_t>(map.strides[d - 1]);
          }
          visit(smem, inside ? gmem : nullptr);
        }
      }
    }
  }
}

void Tma::load(int thread, const TmaCopy& copy, Site& site) {
  if (!usable(thread, copy, site)) return;
  const Mbarriers::Ticket ticket = mbarriers_.ticket(thread, copy.barrier_smem, site);
  if (ticket.agent < 0) return;
  const int bytes = static_cast<int>(copy.map.box[0]) * element_bytes;
  for_each_row(copy, [&](uint32_t smem, const char* gmem) {
    Row row{smem, bytes, copy.map.swizzle_128, {}, thread, copy.barrier_smem, ticket.phase, &site};
    for (int chunk = 0; chunk < bytes && gmem != nullptr; chunk += chunk_bytes) {
      global_.read(thread, gmem + chunk, sizeof(Chunk), site, row.data + chunk);
    }
    shared_.begin_async_write(thread, smem, bytes, site, ticket.agent, ticket.phase);
    rows_.push_back(row);
    if (gmem != nullptr) site.counters.sectors += bytes / sector_bytes;
  });
}

void Tma::land_one(std::mt19937_64& random) {
  std::swap(rows_[random() % rows_.size()], rows_.back());
  const Row row = rows_.back();
  rows_.pop_back();
  for (int chunk = 0; chunk < row.bytes; chunk += chunk_bytes) {
    const uint32_t address = row.smem + chunk;
    shared_.land(row.swizzled ? swizzled(address) : address, chunk_bytes, row.data + chunk);
  }
  mbarriers_.landed(row.thread, row.barrier_smem, row.phase, row.bytes, *row.site);
}

void Tma::store(int thread, const TmaCopy& copy, Site& site) {
  if (!usable(thread, copy, site)) return;
  Stores& stores = stores_[thread];
  if (stores.agent < 0) stores.agent = shared_.clocks().add_agent();
  if (stores.open == nullptr) stores.open = &site;
  const int warp = thread / warp_lanes;
  const int bytes = static_cast<int>(copy.map.box[0]) * element_bytes;
  for_each_row(copy, [&](uint32_t smem, const char* gmem) {
    for (int chunk = 0; chunk < bytes; chunk += chunk_bytes) {
      const uint32_t address = copy.map.swizzle_128 ? swizzled(smem + chunk) : smem + chunk;
      Chunk data;
      shared_.async_read({&warp, 1}, thread, address, chunk_bytes, site, stores.agent, stores.committed, &data);
      if (gmem != nullptr) global_.write(thread, const_cast<char*>(gmem) + chunk, sizeof data, site, &data);
    }
    if (gmem != nullptr) site.counters.sectors += bytes / sector_bytes;
  });
}

void Tma::commit(int thread) {
  Stores& stores = stores_[thread];
  if (stores.open != nullptr) stores.last = stores.open;
  stores.open = nullptr;
  stores.committed++;
}

void Tma::wait_read(int thread, int pending) {
  const auto found = stores_.find(thread);
  if (found == stores_.end()) return;
  Stores& stores = found->second;
  const int64_t completed = int64_t{stores.committed} - pending;
  if (completed <= stores.completed) return;
  stores.completed = static_cast<uint32_t>(completed);
  if (stores.agent >= 0) shared_.end_async_reads(thread, stores.agent, stores.completed);
}

void Tma::exit() {
  if (!rows_.empty()) {
    hazards_.add(HazardKind::tma_misused, nullptr, *rows_.front().site, rows_.front().thread,
                 "is still copying when all threads have exited: wait for its bytes with mbarrier_wait().");
    for (const Row& row : rows_) mbarriers_.landed(row.thread, row.barrier_smem, row.phase, row.bytes, *row.site);
  }
  for (const auto& [thread, stores] : stores_) {
    if (stores.open != nullptr) {
      hazards_.add(HazardKind::tma_misused, nullptr, *stores.open, thread,
                   "is in no group when its thread exits: commit it with tma_store_commit().");
    } else if (stores.completed < stores.committed && stores.last != nullptr) {
      hazards_.add(HazardKind::tma_misused, nullptr, *stores.last, thread,
                   "may still read shared memory when its thread exits: wait for it with tma_store_wait_read<0>().");
    }
  }
}

}  // namespace flash_steps::emulator
