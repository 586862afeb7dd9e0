#include "harness/machine/counters.h"

namespace flash_steps {

AccessCounters& AccessCounters::operator+=(const AccessCounters& other) {
  instructions += other.instructions;
  wavefronts += other.wavefronts;
  ideal_wavefronts += other.ideal_wavefronts;
  sectors += other.sectors;
  tags += other.tags;
  return *this;
}

uint64_t Counters::shared_wavefronts() const {
  return ldmatrix.wavefronts + cp_async.wavefronts + shared_load.wavefronts + shared_store.wavefronts;
}

uint64_t Counters::shared_ideal_wavefronts() const {
  return ldmatrix.ideal_wavefronts + cp_async.ideal_wavefronts + shared_load.ideal_wavefronts +
         shared_store.ideal_wavefronts;
}

Counters& Counters::operator+=(const Counters& other) {
  ldmatrix += other.ldmatrix;
  cp_async += other.cp_async;
  shared_load += other.shared_load;
  shared_store += other.shared_store;
  global_load += other.global_load;
  global_store += other.global_store;
  mma_instructions += other.mma_instructions;
  shuffle_instructions += other.shuffle_instructions;
  barrier_instructions += other.barrier_instructions;
  hbm_bytes_read += other.hbm_bytes_read;
  hbm_bytes_written += other.hbm_bytes_written;
  for (const RareCounter& rare : rare_counters) this->*rare.count += other.*rare.count;
  return *this;
}

}  // namespace flash_steps
