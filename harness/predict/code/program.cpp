#include "harness/predict/code/program.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

namespace flash_steps {
namespace {

struct Range {
  int first = 0;
  int last = 0;  ///< the branch back
  bool has(int i) const { return i >= first && i <= last; }
};

bool is_product(const DecodedInstruction& i) { return i.unit == Unit::tensor; }

bool is_copy(const DecodedInstruction& i) { return i.unit == Unit::copy; }

class Order {
 public:
  explicit Order(std::vector<DecodedInstruction> code) : code_(std::move(code)), loop_(find_loop()) {}

  Program make() {
    Program program;
    int at = 0;
    for (const LoopStep& step : walk(at, loop_.first, false)) program.prologue.push_back(step.index);
    if (at != loop_.first) throw std::runtime_error("the code enters its main loop elsewhere than at its start");
    at = loop_.first;
    program.loop = walk(at, loop_.last + 1, true);
    const bool at_the_end = code_[loop_.last].is_conditional;
    const int exit = at_the_end ? loop_.last : find_exit();
    for (LoopStep& step : program.loop) step.not_in_last = step.not_in_last || step.index > exit;
    at = at_the_end ? loop_.last + 1 : code_[exit].target;
    for (const LoopStep& step : walk(at, size(), false)) program.epilogue.push_back(step.index);
    program.code = std::move(code_);
    return program;
  }

 private:
  int size() const { return static_cast<int>(code_.size()); }

  template <typename Predicate>
  int count(int from, int to, Predicate predicate) const {
    return static_cast<int>(std::count_if(code_.begin() + from, code_.begin() + to, predicate));
  }

  // The code between a backward branch and its target that has the most products; of equals the last.
  Range find_loop() const {
    Range best;
    int most = 0;
    for (int i = 0; i < size(); i++) {
      const DecodedInstruction& branch = code_[i];
      if (!branch.opcode.starts_with("BRA") || branch.target < 0 || branch.target > i) continue;
      const int products = count(branch.target, i, is_product);
      if (products == 0 || products < most) continue;
      most = products;
      best = {branch.target, i};
    }
    if (most == 0) throw std::runtime_error("the code has no loop with products of matrices");
    return best;
  }

  // The last branch that leaves the loop.
  int find_exit() const {
    for (int i = loop_.last; i >= loop_.first; i--) {
      if (code_[i].is_conditional && code_[i].target > loop_.last) return i;
    }
    throw std::runtime_error("the code never leaves its main loop");
  }

  // Where a branch leads that skips what no warp does; nothing if it is not of this kind. `not_last` becomes the end of
  // what the loop's last pass leaves out.
  std::optional<int> taken(int i, bool in_loop, int& not_last) const {
    const int target = code_[i].target;
    if (target <= i) return std::nullopt;
    if (!code_[i].is_conditional) return target;
    if (in_loop && target > loop_.last) return std::nullopt;
    const int products = count(i + 1, target, is_product);
    const bool is_hot = products > 0 || count(i + 1, target, is_copy) > 0;
    const auto is_call = [](const DecodedInstruction& x) { return x.opcode.starts_with("CALL"); };
    if (!is_hot && count(i + 1, target, is_call) > 0) return target;
    if (is_hot && products == 0) not_last = target;
    return std::nullopt;
  }

  // From `at` to `stop`, or to where the main loop begins; `at` becomes where it ended.
  std::vector<LoopStep> walk(int& at, int stop, bool in_loop) const {
    std::vector<LoopStep> steps;
    int not_last = -1;
    while (at < stop && (in_loop || !loop_.has(at))) {
      const DecodedInstruction& instruction = code_[at];
      steps.push_back({at, at < not_last});
      if (instruction.unit == Unit::exit && !instruction.is_conditional) break;
      const bool is_branch = instruction.opcode.starts_with("BRA") && instruction.target >= 0;
      if (in_loop && at == loop_.last) {
        at++;
        break;
      }
      const auto target = is_branch ? taken(at, in_loop, not_last) : std::nullopt;
      at = target ? *target : at + 1;
    }
    return steps;
  }

  std::vector<DecodedInstruction> code_;
  Range loop_;
};

}  // namespace

Program program_of(std::vector<DecodedInstruction> code) { return Order(std::move(code)).make(); }

int Program::passes(int tiles, int products_of_tile) const {
  const auto product = [&](int index) { return is_product(code[index]) ? 1 : 0; };
  int once = 0, in_pass = 0;
  for (const int index : prologue) once += product(index);
  for (const int index : epilogue) once += product(index);
  for (const LoopStep& step : loop) {
    in_pass += product(step.index);
    if (step.not_in_last) once -= product(step.index);
  }
  const int left = tiles * products_of_tile - once;
  if (left < 0 || left % in_pass != 0) {
    throw std::runtime_error("the main loop has " + std::to_string(in_pass) + " products and the code around it " +
                             std::to_string(once) + ", which do not make up " + std::to_string(tiles) + " tiles of " +
                             std::to_string(products_of_tile));
  }
  return left / in_pass;
}

}  // namespace flash_steps
