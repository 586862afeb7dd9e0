#include "harness/emulator/cta.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "harness/emulator/execute.h"

namespace flash_steps::emulator {
namespace {

// "lanes 0, 2-5" of the numbers {0, 2, 3, 4, 5}
std::string ranges(const char* noun, const std::vector<int>& numbers) {
  std::string text = std::string(noun) + (numbers.size() == 1 ? " " : "s ");
  for (size_t i = 0; i < numbers.size(); i++) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) last++;
    if (i > 0) text += ", ";
    text += std::to_string(numbers[i]);
    if (last > i) text.append("-").append(std::to_string(numbers[last]));
    i = last;
  }
  return text;
}

// Lanes or warps that wait at one place; with a null site those that have exited.
struct Waiting {
  const Site* site;
  std::vector<int> numbers;
};

void add(std::vector<Waiting>& groups, const Site* site, int number) {
  auto group = std::find_if(groups.begin(), groups.end(), [&](const Waiting& g) { return g.site == site; });
  if (group == groups.end()) group = groups.insert(groups.end(), Waiting{site, {}});
  group->numbers.push_back(number);
}

std::string describe(const char* noun, const std::vector<Waiting>& groups) {
  std::string text;
  for (const Waiting& group : groups) {
    if (!text.empty()) text += ", ";
    const bool one = group.numbers.size() == 1;
    text += ranges(noun, group.numbers);
    text += group.site == nullptr ? (one ? " has exited" : " have exited")
                                  : (one ? " waits at " : " wait at ") + place(access(group.site, 0));
  }
  return text;
}

}  // namespace

Cta::Cta(const LaunchConfig& config, const std::function<void()>& thread_body)
    : config_(config),
      warps_(config.threads / warp_lanes),
      shared_(config.smem_bytes, config.threads, hazards_),
      global_(config.buffers, hazards_),
      states_(warps_),
      warp_order_(warps_),
      lane_order_(warp_lanes) {
  for (int thread = 0; thread < config.threads; thread++) lanes_.push_back(std::make_unique<Lane>(thread_body));
}

void Cta::run(Dim3 index, int64_t number) {
  blockIdx = index;
  blockDim = {static_cast<unsigned>(config_.threads), 1, 1};
  gridDim = {static_cast<unsigned>(config_.grid_x), static_cast<unsigned>(config_.grid_y),
             static_cast<unsigned>(config_.grid_z)};
  shared_.reset();
  hazards_.begin_cta(index, number);
  global_.begin_cta(index, number);
  for (const auto& lane : lanes_) lane->begin_cta();
  std::fill(states_.begin(), states_.end(), WarpState::running);

  std::iota(warp_order_.begin(), warp_order_.end(), 0);
  std::iota(lane_order_.begin(), lane_order_.end(), 0);
  random_.seed(config_.lane_order_seed + static_cast<uint64_t>(number));

  try {
    run_to_end();
  } catch (...) {
    cancel();
    throw;
  }
}

// From barrier to barrier each warp runs alone: what it may see of the others is decided by the epochs of the shared
// memory, not by who ran first.
void Cta::run_to_end() {
  while (true) {
    if (config_.lane_order_seed != 0) std::shuffle(warp_order_.begin(), warp_order_.end(), random_);
    for (const int warp : warp_order_) {
      if (states_[warp] == WarpState::running && !run_warp(warp)) return cancel();
    }
    if (std::find(states_.begin(), states_.end(), WarpState::at_barrier) == states_.end()) break;
    if (!pass_barrier()) return cancel();
  }
  for (int thread = 0; thread < config_.threads; thread++) shared_.exit(thread);
}

// Runs a warp to its next barrier or to its end. False if its lanes do not meet.
bool Cta::run_warp(int warp) {
  WarpOperation operations;
  while (true) {
    step_lanes(warp);
    const auto first = lanes_.begin() + warp * warp_lanes;
    const auto exited = std::count_if(first, first + warp_lanes, [](const auto& lane) { return lane->exited(); });
    if (exited == warp_lanes) {
      states_[warp] = WarpState::exited;
      return true;
    }
    const Operation* meeting = (*first)->exited() ? nullptr : &(*first)->operation();
    bool met = exited == 0;
    for (int lane = 0; lane < warp_lanes && met; lane++) {
      operations[lane] = &first[lane]->operation();
      met = operations[lane]->word == meeting->word && operations[lane]->line.line == meeting->line.line &&
            operations[lane]->line.file == meeting->line.file;
    }
    if (!met) {
      report_divergence(warp);
      return false;
    }
    execute(operations, warp, lines_.site(meeting->word, meeting->line), shared_, global_);
    if (meeting->word == Word::barrier) {
      states_[warp] = WarpState::at_barrier;
      return true;
    }
  }
}

void Cta::step_lanes(int warp) {
  if (config_.lane_order_seed != 0) std::shuffle(lane_order_.begin(), lane_order_.end(), random_);
  for (const int lane_number : lane_order_) {
    const int thread = warp * warp_lanes + lane_number;
    Lane& lane = *lanes_[thread];
    if (lane.exited()) continue;
    threadIdx = {static_cast<unsigned>(thread), 0, 0};
    lane.resume();
    if (lane.error()) std::rethrow_exception(lane.error());
  }
}

// All warps wait at a barrier or have exited. False if one has exited, so that the others would wait for ever.
bool Cta::pass_barrier() {
  if (std::find(states_.begin(), states_.end(), WarpState::exited) != states_.end()) {
    report_barrier(HazardKind::barrier_not_reached);
    return false;
  }
  for (int warp = 1; warp < warps_; warp++) {
    if (&site_of(*lanes_[warp * warp_lanes]) != &site_of(*lanes_[0])) {
      report_barrier(HazardKind::barrier_mismatch);
      break;
    }
  }
  shared_.barrier();
  std::fill(states_.begin(), states_.end(), WarpState::running);
  return true;
}

void Cta::report_divergence(int warp) {
  std::vector<Waiting> groups;
  for (int lane = 0; lane < warp_lanes; lane++) {
    const Lane& state = *lanes_[warp * warp_lanes + lane];
    add(groups, state.exited() ? nullptr : &site_of(state), lane);
  }
  if (!hazards_.is_new(HazardKind::divergence, groups[0].site, groups[1].site)) return;
  Hazard hazard;
  hazard.kind = HazardKind::divergence;
  hazard.earlier = access(groups[0].site, warp * warp_lanes + groups[0].numbers[0]);
  hazard.later = access(groups[1].site, warp * warp_lanes + groups[1].numbers[0]);
  hazard.waiting = describe("lane", groups);
  hazards_.add(hazard);
}

void Cta::report_barrier(HazardKind kind) {
  std::vector<Waiting> groups;
  for (int warp = 0; warp < warps_; warp++) {
    add(groups, states_[warp] == WarpState::exited ? nullptr : &site_of(*lanes_[warp * warp_lanes]), warp);
  }
  if (!hazards_.is_new(kind, groups[0].site, groups[1].site)) return;
  Hazard hazard;
  hazard.kind = kind;
  hazard.earlier = access(groups[0].site, groups[0].numbers[0] * warp_lanes);
  hazard.later = access(groups[1].site, groups[1].numbers[0] * warp_lanes);
  hazard.waiting = describe("warp", groups);
  hazards_.add(hazard);
}

const Site& Cta::site_of(const Lane& lane) { return lines_.site(lane.operation().word, lane.operation().line); }

void Cta::cancel() {
  for (const auto& lane : lanes_) lane->cancel();
}

}  // namespace flash_steps::emulator
