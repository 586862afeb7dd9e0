// What a kernel did that a GPU would let pass, and what would repair it.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "harness/emulator/memory/line_table.h"
#include "harness/emulator/words/isa.h"

namespace flash_steps::emulator {

enum class HazardKind {
  read_of_unwritten,          ///< of shared memory that no thread of the CTA wrote
  read_of_copy_in_flight,     ///< the thread that issued the cp.async has not waited for its group
  read_before_barrier,        ///< of what another thread wrote, with no barrier since its write or its wait
  write_after_read,           ///< over what another warp read, with no barrier since
  write_after_write,          ///< over what another thread wrote, with no barrier since
  write_over_copy_in_flight,  ///< either could come last
  shared_out_of_bounds,
  shared_misaligned,
  matrix_address,  ///< of WMMA: the lanes give different ones, or one or a stride that is misaligned
  global_out_of_bounds,
  global_misaligned,
  global_read_only,          ///< a store to a tensor that is an input
  global_write_conflict,     ///< two CTAs stored to the same bytes
  global_read_conflict,      ///< a CTA loaded bytes that another one stored in the same launch
  global_read_of_unwritten,  ///< of a tensor that is no input: bytes that nothing before had stored
  global_sum_conflict,       ///< a CTA loaded or stored bytes that another one added to in the same launch
  global_access_of_sum,      ///< or that it had added to itself
  divergence,                ///< the lanes of a warp wait at different words
  barrier_not_reached,       ///< a barrier that not all threads of the CTA came to
  barrier_mismatch,          ///< the warps of the CTA met at different barriers
  copy_not_committed,        ///< a thread exited with copies in no group
  copy_not_waited_for,       ///< a thread exited with groups under way
  read_of_tma_copy,          ///< nobody has told the reader that the bytes have come
  write_over_tma_copy,       ///< either could come last
  write_under_async_read,    ///< over what the tensor core or the TMA unit may still read
  no_proxy_fence,            ///< the unit may not see what a thread wrote
  // Of these the sentence is made where they are found.
  mbarrier_misused,
  tma_misused,
  wgmma_misused,
  registers_misused,  ///< those of an accumulator, or the number that a thread has
  named_barrier_misused,
  deadlock,  ///< no warp can go on
};

/// Who executed what, where.
struct Access {
  Word word = Word::none;  ///< none: there is no such access
  SourceLine line;
  int warp = 0;
  int lane = 0;
};

struct Hazard {
  HazardKind kind = HazardKind::read_of_unwritten;
  Dim3 cta;
  Access earlier;         ///< of the two accesses that collide; Word::none for a hazard of one access
  Access later;           ///< where the hazard was found
  std::string tensor;     ///< of a global access; empty for shared memory
  int64_t byte = 0;       ///< offset in shared memory or in the tensor
  int64_t size = 0;       ///< bytes of shared memory or of the tensor
  int groups_behind = 0;  ///< groups that the copying thread committed after this one; −1: this is not committed
  std::string waiting;    ///< who waits where, when lanes or warps do not meet; or the sentence itself
  Dim3 earlier_cta;       ///< of a conflict of two CTAs
};

/// One or two sentences, without the kernel's name: where, what happened, and what would repair it.
std::string to_string(const Hazard& hazard);

/// Hazards of the CTAs that one worker runs, each pair of lines once.
class HazardLog {
 public:
  struct Entry {
    int64_t cta_number;  ///< CTAs are numbered with x fastest
    Hazard hazard;
  };

  void begin_cta(Dim3 cta, int64_t cta_number);

  /// Whether this pair was not reported yet; from now on it counts as reported. Either site may be null.
  bool is_new(HazardKind kind, const Site* earlier, const Site* later);

  /// Adds what is_new, and fills in the CTA.
  void add(Hazard hazard);

  /// Adds one whose sentence, behind the word and its place, is made where it was found, if it is new.
  void add(HazardKind kind, const Site* earlier, const Site& later, int thread, const std::string& sentence);

  const std::vector<Entry>& entries() const { return entries_; }

 private:
  using Key = std::tuple<HazardKind, const Site*, const Site*>;
  struct Hash {
    size_t operator()(const Key& key) const;
  };

  Dim3 cta_;
  int64_t cta_number_ = 0;
  std::unordered_set<Key, Hash> seen_;
  std::vector<Entry> entries_;
};

/// The access of a thread of the CTA; a null site is none.
Access access(const Site* site, int thread);

/// "ldmatrix_x4 at 01_base.cu:62"
std::string place(const Access& access);

/// The first of each kind and pair of lines, in the order of the CTAs.
std::vector<Hazard> merge(std::vector<HazardLog::Entry> entries);

}  // namespace flash_steps::emulator
