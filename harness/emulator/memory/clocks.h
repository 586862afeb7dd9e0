// What each warp of a CTA knows of what the others have done: vector clocks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace flash_steps::emulator {

/// Who does something that others must know to have ended: a warp, or a unit that works on its own. Each has a time
/// that counts its steps; a warp knows of each the time up to which all steps have ended.
///
/// Warps pass on what they know when they meet or when one arrives where another waits. What a warp did at time t
/// others know to have ended if they know more than t.
class Clocks {
 public:
  using Knowledge = std::vector<uint32_t>;  ///< by agent

  explicit Clocks(int warps) : warps_(warps) { reset(); }

  void reset() {
    agents_ = warps_;
    known_.assign(warps_, Knowledge(warps_, 0));
    for (int warp = 0; warp < warps_; warp++) known_[warp][warp] = 1;
  }

  /// One more agent that is no warp; nobody knows of anything it did.
  int add_agent() { return agents_++; }

  /// The time of a warp.
  uint32_t now(int warp) const { return known_[warp][warp]; }

  /// Whether `warp` knows that what `agent` did at `time` has ended. What a warp did itself has.
  bool knows(int warp, int agent, uint32_t time) const { return warp == agent || known(known_[warp], agent) > time; }

  /// A step of the warp ends: the next one has a later time.
  void tick(int warp) { known_[warp][warp]++; }

  /// What the warp passes on: all it knows, and all that it did.
  const Knowledge& publish(int warp, Knowledge& to) {
    tick(warp);
    join(to, known_[warp]);
    return to;
  }

  void learn(int warp, const Knowledge& knowledge) {
    const uint32_t own = now(warp);
    join(known_[warp], knowledge);
    known_[warp][warp] = own;
  }

  /// The warp has seen that what `agent` did before `time` has ended.
  void learn(int warp, int agent, uint32_t time) {
    Knowledge& own = known_[warp];
    if (static_cast<int>(own.size()) <= agent) own.resize(agent + 1);
    own[agent] = std::max(own[agent], time);
  }

  /// All warps meet.
  void meet() {
    Knowledge all;
    for (int warp = 0; warp < warps_; warp++) publish(warp, all);
    for (int warp = 0; warp < warps_; warp++) learn(warp, all);
  }

  static uint32_t known(const Knowledge& knowledge, int agent) {
    return agent < static_cast<int>(knowledge.size()) ? knowledge[agent] : 0;
  }

 private:
  static void join(Knowledge& into, const Knowledge& from) {
    if (into.size() < from.size()) into.resize(from.size());
    for (size_t i = 0; i < from.size(); i++) into[i] = std::max(into[i], from[i]);
  }

  int warps_;
  int agents_ = 0;
  std::vector<Knowledge> known_;  // by warp; agents beyond the end are unknown
};

}  // namespace flash_steps::emulator
