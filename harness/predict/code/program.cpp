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
  explicit Order(std::vector<DecodedInstruction> code) : code_(std::move(code)), loops_(find_loops()) {}

  Program make() {
    Program program;
    int at = 0;
    program.prologue = before(loops_.front(), at);
    if (loops_.size() == 2) {
      program.masked = in(loops_.front(), at);
      program.between = before(loops_.back(), at);
    }
    program.loop = in(loops_.back(), at);
    program.epilogue = walk(at, size(), nullptr);
    program.code = std::move(code_);
    return program;
  }

 private:
  int size() const { return static_cast<int>(code_.size()); }

  template <typename Predicate>
  int count(int from, int to, Predicate predicate) const {
    return static_cast<int>(std::count_if(code_.begin() + from, code_.begin() + to, predicate));
  }

  // The code between a backward branch and its target that has the most products; of one in another the outer. Two
  // may have as many, one behind the other.
  std::vector<Range> find_loops() const {
    std::vector<Range> loops;
    int most = 1;
    for (int i = 0; i < size(); i++) {
      const DecodedInstruction& branch = code_[i];
      if (!branch.opcode.starts_with("BRA") || branch.target < 0 || branch.target > i) continue;
      const int products = count(branch.target, i, is_product);
      if (products < most) continue;
      if (products > most) loops.clear();
      while (!loops.empty() && loops.back().first >= branch.target) loops.pop_back();
      most = products;
      loops.push_back({branch.target, i});
    }
    if (loops.empty()) throw std::runtime_error("the code has no loop with products of matrices");
    if (loops.size() > 2) {
      throw std::runtime_error("the code has " + std::to_string(loops.size()) +
                               " loops with as many products; one, or two of which the first has a mask, would work");
    }
    return loops;
  }

  std::vector<OrderStep> before(const Range& loop, int& at) const {
    const std::vector<OrderStep> steps = walk(at, loop.first, nullptr);
    if (at != loop.first) throw std::runtime_error("the code enters its main loop elsewhere than at its start");
    return steps;
  }

  // A loop; `at` becomes where it is left to.
  std::vector<OrderStep> in(const Range& loop, int& at) const {
    std::vector<OrderStep> steps = walk(at, loop.last + 1, &loop);
    const bool at_the_end = code_[loop.last].is_conditional;
    const int exit = at_the_end ? loop.last : find_exit(loop);
    for (OrderStep& step : steps) step.not_in_last = step.index > exit;
    at = at_the_end ? loop.last + 1 : code_[exit].target;
    return steps;
  }

  // The last branch that leaves the loop.
  int find_exit(const Range& loop) const {
    for (int i = loop.last; i >= loop.first; i--) {
      if (code_[i].is_conditional && code_[i].target > loop.last) return i;
    }
    throw std::runtime_error("the code never leaves its main loop");
  }

  // Whether a forward branch is the one that a call in the code behind it is passed by with.
  bool is_around_call(int i) const {
    const int target = code_[i].target;
    for (int call = i + 1; call < target; call++) {
      if (!code_[call].opcode.starts_with("CALL")) continue;
      const bool another = std::any_of(code_.begin() + i + 1, code_.begin() + call, [&](const DecodedInstruction& x) {
        return x.opcode.starts_with("BRA") && x.is_conditional && x.target > call && x.target <= target;
      });
      if (!another) return true;
    }
    return false;
  }

  // Where a branch leads that skips what no warp does; nothing if it is not of this kind. `of_next` becomes the end of
  // what copies the next tile.
  std::optional<int> taken(int i, const Range* loop, int& of_next) const {
    const int target = code_[i].target;
    if (target <= i) return std::nullopt;
    if (!code_[i].is_conditional) return target;
    if (loop != nullptr && target > loop->last) return std::nullopt;
    const int products = count(i + 1, target, is_product);
    const bool is_hot = products > 0 || count(i + 1, target, is_copy) > 0;
    if (!is_hot && is_around_call(i)) return target;
    if (is_hot && products == 0) of_next = target;
    return std::nullopt;
  }

  bool begins_loop(int at) const {
    return std::any_of(loops_.begin(), loops_.end(), [&](const Range& loop) { return loop.has(at); });
  }

  // From `at` to `stop`, or to where a loop begins; `at` becomes where it ended. `loop`: nullptr outside of one.
  std::vector<OrderStep> walk(int& at, int stop, const Range* loop) const {
    std::vector<OrderStep> steps;
    int of_next = -1;
    while (at < stop && (loop != nullptr || !begins_loop(at))) {
      const DecodedInstruction& instruction = code_[at];
      steps.push_back({at, false, at < of_next});
      if (instruction.unit == Unit::exit && !instruction.is_conditional) break;
      if (loop != nullptr && at == loop->last) {
        at++;
        break;
      }
      const bool is_branch = instruction.opcode.starts_with("BRA") && instruction.target >= 0;
      const auto target = is_branch ? taken(at, loop, of_next) : std::nullopt;
      at = target ? *target : at + 1;
    }
    return steps;
  }

  std::vector<DecodedInstruction> code_;
  std::vector<Range> loops_;
};

int products_in(const std::vector<OrderStep>& steps, const std::vector<DecodedInstruction>& code) {
  return static_cast<int>(
      std::count_if(steps.begin(), steps.end(), [&](const OrderStep& step) { return is_product(code[step.index]); }));
}

}  // namespace

Program program_of(std::vector<DecodedInstruction> code) { return Order(std::move(code)).make(); }

Passes Program::passes(int tiles, int products_of_tile, int masked_passes) const {
  const int in_pass = products_in(loop, code), in_masked = products_in(masked, code);
  int once = products_in(prologue, code) + products_in(between, code) + products_in(epilogue, code);
  for (const OrderStep& step : loop) {
    if (step.not_in_last) once -= is_product(code[step.index]) ? 1 : 0;
  }
  if (masked_passes > 0 && in_masked != products_of_tile) {
    throw std::runtime_error("the loop with a mask has " + std::to_string(in_masked) + " products, and a tile has " +
                             std::to_string(products_of_tile));
  }
  const int left = tiles * products_of_tile - once - masked_passes * in_masked;
  if (left < 0 || left % in_pass != 0) {
    throw std::runtime_error("the main loop has " + std::to_string(in_pass) + " products and the code around it " +
                             std::to_string(once) + ", which do not make up " + std::to_string(tiles) + " tiles of " +
                             std::to_string(products_of_tile));
  }
  return {masked_passes, left / in_pass};
}

}  // namespace flash_steps
