#include "harness/emulator/memory/hazard.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace flash_steps::emulator {
namespace {

std::string who(const Access& access) {
  return "warp " + std::to_string(access.warp) + ", lane " + std::to_string(access.lane);
}

// "ldmatrix_x4 at 01_base.cu:62 (warp 1, lane 3)"
std::string what_and_who(const Access& access) { return place(access) + " (" + who(access) + ")"; }

std::string cta_name(Dim3 cta) {
  return "CTA (" + std::to_string(cta.x) + ", " + std::to_string(cta.y) + ", " + std::to_string(cta.z) + ")";
}

std::string wait_word(int pending) { return "cp_async_wait<" + std::to_string(pending) + ">()"; }

bool is_copy(const Access& access) {
  return access.word == Word::cp_async_16 || access.word == Word::cp_async_16_prefetch_128 ||
         access.word == Word::cp_async_16_or_zeros;
}

// What orders the two accesses of a hazard.
std::string barrier_between(const Hazard& hazard) {
  return hazard.earlier.warp == hazard.later.warp ? "warp_barrier() or barrier()" : "barrier()";
}

// How the earlier access, a copy that nobody waited for, is made to have ended.
std::string wait_for_copy(const Hazard& hazard) {
  if (hazard.groups_behind < 0) return "commit it with cp_async_commit() and wait for it with cp_async_wait<0>()";
  return "wait for it with " + wait_word(hazard.groups_behind);
}

// Who wrote what is read, and what is missing since.
std::string since_when(const Hazard& hazard) {
  const std::string barrier = "put a " + barrier_between(hazard) + " between ";
  if (is_copy(hazard.earlier)) {
    return what_and_who(hazard.earlier) + " copied, with no barrier since its thread waited for the copy: " + barrier +
           "that wait and the read";
  }
  return what_and_who(hazard.earlier) + " wrote, with no barrier since: " + barrier + "the write and the read";
}

// "byte 64 of shared memory"
std::string byte_of(const Hazard& hazard) {
  return "byte " + std::to_string(hazard.byte) + " of " + (hazard.tensor.empty() ? "shared memory" : hazard.tensor);
}

// "ldmatrix_x4 at 01_base.cu:62 reads byte 64 of shared memory"
std::string access_to_byte(const Hazard& hazard, const char* verb) {
  return place(hazard.later) + " " + verb + " " + byte_of(hazard);
}

// The sentences, a function for each sense. What is not of its kinds, it has no sentence for.

std::string of_two_threads(const Hazard& hazard) {
  const bool same_thread = hazard.earlier.warp == hazard.later.warp && hazard.earlier.lane == hazard.later.lane;
  switch (hazard.kind) {
    case HazardKind::read_of_unwritten:
      return access_to_byte(hazard, "reads") +
             ", which no thread of the CTA has written: write or copy it before the read.";
    case HazardKind::read_of_copy_in_flight:
      return access_to_byte(hazard, "reads") + " while " + what_and_who(hazard.earlier) +
             " is still copying to it: " + wait_for_copy(hazard) +
             (same_thread ? " before the read." : " and put a " + barrier_between(hazard) + " between wait and read.");
    case HazardKind::read_before_barrier:
      return access_to_byte(hazard, "reads") + ", which " + since_when(hazard) + ".";
    case HazardKind::write_after_read:
      return access_to_byte(hazard, "writes") + ", which " + what_and_who(hazard.earlier) +
             " read, with no barrier since: put a " + barrier_between(hazard) + " between the read and the write.";
    case HazardKind::write_after_write:
      return access_to_byte(hazard, "writes") + ", which " + what_and_who(hazard.earlier) +
             (is_copy(hazard.earlier) ? " copied, with no barrier since its thread waited for the copy: put a "
                                      : " wrote, with no barrier since: put a ") +
             barrier_between(hazard) + " between the two writes.";
    case HazardKind::write_over_copy_in_flight:
      return access_to_byte(hazard, "writes") + " while " + what_and_who(hazard.earlier) +
             " is still copying to it: " + wait_for_copy(hazard) +
             (same_thread ? " before the write."
                          : " and put a " + barrier_between(hazard) + " between wait and write.");
    default:
      return "";
  }
}

std::string of_an_address(const Hazard& hazard) {
  switch (hazard.kind) {
    case HazardKind::shared_out_of_bounds:
      return access_to_byte(hazard, "accesses") + ", of which the CTA has " + std::to_string(hazard.size) +
             " bytes from shared_base() on: correct the address, or ask for more shared memory at the launch.";
    case HazardKind::shared_misaligned:
    case HazardKind::global_misaligned:
      return access_to_byte(hazard, "accesses") + ", which is not a multiple of the bytes that a lane moves: align it.";
    case HazardKind::matrix_address:
      return place(hazard.later) + " takes a matrix at " + byte_of(hazard) + " with rows " +
             std::to_string(hazard.size) +
             " bytes apart: let all lanes give the same address, a multiple of 32, and the same rows, a multiple of 16 "
             "bytes apart.";
    case HazardKind::global_out_of_bounds:
      return access_to_byte(hazard, "accesses") + ", which has " + std::to_string(hazard.size) +
             " bytes: correct the address, or check the row against the shape.";
    default:
      return "";
  }
}

std::string of_a_tensor(const Hazard& hazard) {
  const std::string other = what_and_who(hazard.earlier) + " of " + cta_name(hazard.earlier_cta);
  switch (hazard.kind) {
    case HazardKind::global_read_only:
      return access_to_byte(hazard, "writes") + ", which is an input: store to an output.";
    case HazardKind::global_write_conflict:
      return access_to_byte(hazard, "writes") + ", which " + other + " writes too: give each CTA bytes of its own.";
    case HazardKind::global_read_conflict:
      return access_to_byte(hazard, "reads") + ", which " + other +
             " writes in the same launch, before it or after it: let a second launch read it.";
    case HazardKind::global_read_of_unwritten:
      return access_to_byte(hazard, "reads") +
             ", which neither an earlier launch nor this CTA has written: write it before the read.";
    case HazardKind::global_sum_conflict:
      return access_to_byte(hazard, "accesses") + ", to which " + other +
             " adds in the same launch, before it or after it: let another launch do one of the two.";
    case HazardKind::global_access_of_sum:
      return access_to_byte(hazard, "accesses") +
             ", to which this CTA has added before, and others may: let another launch access the sum.";
    default:
      return "";
  }
}

std::string of_a_meeting(const Hazard& hazard) {
  switch (hazard.kind) {
    case HazardKind::divergence:
      return "the lanes of the warp do not meet: " + hazard.waiting +
             ": all lanes must come to the same word on the same line.";
    case HazardKind::barrier_not_reached:
      return "deadlock at a barrier that not all threads reach: " + hazard.waiting +
             ": let every thread of the CTA come to it.";
    case HazardKind::barrier_mismatch:
      return "the warps meet at different barriers: " + hazard.waiting +
             ": let all threads of the CTA come to the same one.";
    case HazardKind::deadlock:
      return hazard.waiting;
    default:
      return "";
  }
}

std::string of_a_copy_at_the_end(const Hazard& hazard) {
  switch (hazard.kind) {
    case HazardKind::copy_not_committed:
      return "the thread exits with a copy of " + place(hazard.earlier) +
             " that is in no group: commit it with cp_async_commit() and wait for it with cp_async_wait<0>().";
    case HazardKind::copy_not_waited_for:
      return "the thread exits with a copy of " + place(hazard.earlier) + ", committed by " + place(hazard.later) +
             ", still under way: wait for it with " + wait_word(hazard.groups_behind) + ".";
    default:
      return "";
  }
}

std::string of_hopper(const Hazard& hazard) {
  switch (hazard.kind) {
    case HazardKind::read_of_tma_copy:
    case HazardKind::write_over_tma_copy:
      return access_to_byte(hazard, hazard.kind == HazardKind::read_of_tma_copy ? "reads" : "writes") + " while " +
             place(hazard.earlier) +
             " is still copying to it: wait with mbarrier_wait() for the phase that counts its bytes.";
    case HazardKind::write_under_async_read:
      return access_to_byte(hazard, "writes") + ", which " + place(hazard.earlier) +
             " may still be reading: wait for its group, and let who waited arrive where this warp waits.";
    case HazardKind::no_proxy_fence:
      return access_to_byte(hazard, "takes") + " by another path than " + what_and_who(hazard.earlier) +
             " wrote it: put proxy_fence() behind the write, in the thread that wrote, and a barrier behind that.";
    case HazardKind::mbarrier_misused:
    case HazardKind::tma_misused:
    case HazardKind::wgmma_misused:
    case HazardKind::registers_misused:
    case HazardKind::named_barrier_misused:
      return place(hazard.later) + " " + hazard.waiting;
    default:
      return "";
  }
}

std::string sentence(const Hazard& hazard) {
  for (const auto of_kind :
       {of_two_threads, of_an_address, of_a_tensor, of_a_meeting, of_a_copy_at_the_end, of_hopper}) {
    const std::string found = of_kind(hazard);
    if (!found.empty()) return found;
  }
  return "";
}

std::tuple<std::string_view, int, Word> order(const Access& access) {
  return {access.line.file, access.line.line, access.word};
}

}  // namespace

Access access(const Site* site, int thread) {
  if (site == nullptr) return {Word::none, {}, thread / warp_lanes, thread % warp_lanes};
  return {site->word, site->line, thread / warp_lanes, thread % warp_lanes};
}

std::string place(const Access& access) {
  const std::string_view path = access.line.file;
  return std::string(name_of(access.word)) + " at " + std::string(path.substr(path.find_last_of('/') + 1)) + ":" +
         std::to_string(access.line.line);
}

std::string to_string(const Hazard& hazard) {
  return cta_name(hazard.cta) + ", " + who(hazard.later) + ": " + sentence(hazard);
}

size_t HazardLog::Hash::operator()(const Key& key) const {
  const auto& [kind, earlier, later] = key;
  const std::hash<const void*> hash;
  return static_cast<size_t>(kind) + hash(earlier) * 3 + hash(later) * 7;
}

void HazardLog::begin_cta(Dim3 cta, int64_t cta_number) {
  cta_ = cta;
  cta_number_ = cta_number;
}

bool HazardLog::is_new(HazardKind kind, const Site* earlier, const Site* later) {
  return seen_.emplace(kind, earlier, later).second;
}

void HazardLog::add(Hazard hazard) {
  hazard.cta = cta_;
  entries_.push_back({cta_number_, std::move(hazard)});
}

void HazardLog::add(HazardKind kind, const Site* earlier, const Site& later, int thread, const std::string& sentence) {
  if (!is_new(kind, earlier, &later)) return;
  Hazard hazard;
  hazard.kind = kind;
  hazard.earlier = access(earlier, thread);
  hazard.later = access(&later, thread);
  hazard.waiting = sentence;
  add(std::move(hazard));
}

std::vector<Hazard> merge(std::vector<HazardLog::Entry> entries) {
  // Each worker runs its CTAs in ascending order, and a CTA runs on one worker: stable sorting by CTA is the order in
  // which one worker alone would have found them.
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.cta_number < b.cta_number; });
  std::set<std::tuple<HazardKind, std::tuple<std::string_view, int, Word>, std::tuple<std::string_view, int, Word>>>
      seen;
  std::vector<Hazard> hazards;
  for (HazardLog::Entry& entry : entries) {
    if (seen.emplace(entry.hazard.kind, order(entry.hazard.earlier), order(entry.hazard.later)).second) {
      hazards.push_back(std::move(entry.hazard));
    }
  }
  return hazards;
}

}  // namespace flash_steps::emulator
