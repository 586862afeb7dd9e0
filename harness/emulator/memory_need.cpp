#include "harness/emulator/memory_need.h"

#include <algorithm>
#include <fstream>

#include "harness/base/text.h"
#include "harness/emulator/memory/global_memory.h"

namespace flash_steps {

int64_t memory_info(const std::string& field) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string unit;
  int64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == field + ":") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return 0;
}

namespace {

constexpr int64_t bytes_of_reference = sizeof(double) + sizeof(float);  // of an element

int64_t forward_need(const Problem& problem, bool with_reference, int64_t workspace) {
  const int64_t q_or_o = problem.bytes();
  const int64_t qkv = q_or_o + 2 * problem.kv_bytes();
  const int64_t reference = with_reference ? problem.elements() * bytes_of_reference : 0;
  // Q, K and V are made in vectors, of which the reference takes one head at a time in fp64, and copied to where they
  // are aligned.
  const int64_t head = with_reference ? 2 * int64_t{problem.keys()} * problem.head_dim * int64_t{sizeof(double)} : 0;
  const int64_t loading = qkv + reference + std::max(head, qkv + q_or_o);
  // While a kernel runs it is noted who wrote each element of O; later O is copied to be compared.
  const int64_t writers = q_or_o * emulator::GlobalMemory::record_bytes_per_byte;
  const int64_t running = qkv + q_or_o + reference + std::max(writers, 2 * q_or_o) + workspace;
  return std::max(loading, running);
}

// O and LSE are inputs, so that the reference of the forward pass is made in any case.
int64_t backward_need(const Problem& problem, bool with_reference, int64_t workspace) {
  const int64_t inputs = 3 * problem.bytes() + 2 * problem.kv_bytes();  // Q, O and dO; K and V
  const int64_t gradients = problem.bytes() + 2 * problem.kv_bytes();
  const int64_t forward = problem.elements() * bytes_of_reference;
  const int64_t reference = with_reference ? gradients / 2 * bytes_of_reference : 0;
  // K and V of a head with Q and dO of those that share them, in fp64 and in two orders.
  const int64_t rows = 2 * int64_t{problem.keys()} + 2 * int64_t{problem.seqlen} * problem.heads / problem.key_heads();
  const int64_t head = with_reference ? 2 * rows * problem.head_dim * int64_t{sizeof(double)} : 0;
  const int64_t loading = inputs + forward + reference + std::max(head, inputs + gradients);
  const int64_t writers = gradients * emulator::GlobalMemory::record_bytes_per_byte;
  const int64_t running = inputs + gradients + reference + std::max(writers, 2 * gradients) + workspace;
  return std::max(loading, running);
}

}  // namespace

int64_t emulator_memory_need(const Problem& problem, bool with_reference, int64_t workspace_bytes) {
  // Of a workspace it is noted who wrote, who read and who added to each byte.
  const int64_t workspace = workspace_bytes * (1 + 3 * emulator::GlobalMemory::record_bytes_per_byte);
  return problem.pass == Pass::forward ? forward_need(problem, with_reference, workspace)
                                       : backward_need(problem, with_reference, workspace);
}

std::optional<std::string> emulator_memory_refusal(const Problem& problem, bool with_reference, int64_t workspace_bytes,
                                                   int64_t held_bytes) {
  const int64_t need = emulator_memory_need(problem, with_reference, workspace_bytes);
  const int64_t available = memory_info("MemAvailable");
  if (available == 0 || need - held_bytes <= available) return std::nullopt;
  const std::string workspace =
      workspace_bytes == 0 ? ""
                           : ", since its workspace has " + readable_bytes(static_cast<double>(workspace_bytes)) + ",";
  return "batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) + ", seqlen " +
         std::to_string(problem.seqlen) + " needs " + readable_bytes(static_cast<double>(need)) + " of memory" +
         workspace + " and this machine has " + readable_bytes(static_cast<double>(available)) +
         " left; a smaller --seqlen, --heads or --batch would fit";
}

}  // namespace flash_steps
