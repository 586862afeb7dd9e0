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

constexpr uint32_t all_lanes = 0xffffffff;

bool is_product(Word word) { return Word::wgmma_fp16 <= word && word <= Word::wgmma_trans_bf16; }

}  // namespace

Cta::Cta(const LaunchConfig& config, const std::function<void()>& thread_body)
    : config_(config),
      warps_(config.threads / warp_lanes),
      shared_(config.smem_bytes, config.threads, hazards_),
      global_(config.buffers, hazards_),
      units_(config.threads, shared_, global_, hazards_),
      states_(warps_),
      ready_(warps_),
      at_product_(warps_),
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
  units_.reset();
  hazards_.begin_cta(index, number);
  global_.begin_cta(index, number);
  for (const auto& lane : lanes_) lane->begin_cta();
  std::fill(states_.begin(), states_.end(), WarpState::running);
  std::fill(ready_.begin(), ready_.end(), all_lanes);
  std::fill(at_product_.begin(), at_product_.end(), false);

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

// A warp runs until it waits: what it may see of the others is decided by what it knows of them, not by who ran first.
void Cta::run_to_end() {
  while (true) {
    if (config_.lane_order_seed != 0) std::shuffle(warp_order_.begin(), warp_order_.end(), random_);
    bool idle = true;
    for (const int warp : warp_order_) {
      if (!may_run(warp)) continue;
      const Turn turn = run_warp(warp);
      if (turn == Turn::failed) return cancel();
      if (turn == Turn::done) idle = false;
      if (units_.copies_under_way() && random_() % 2 == 0) {
        units_.land_one_row(random_);
        idle = false;
      }
    }
    const auto waits = [&](WarpState state) {
      return std::find(states_.begin(), states_.end(), state) != states_.end();
    };
    if (waits(WarpState::running)) {
      if (!idle) continue;
      if (!units_.copies_under_way()) {
        report_deadlock();
        return cancel();
      }
      units_.land_one_row(random_);
    } else if (!waits(WarpState::at_barrier)) {
      break;
    } else if (!pass_barrier()) {
      return cancel();
    }
  }
  for (int thread = 0; thread < config_.threads; thread++) shared_.exit(thread);
  units_.exit();
}

// Runs a warp to where it waits or to its end.
Cta::Turn Cta::run_warp(int warp) {
  WarpOperation operations;
  bool done = false;
  while (true) {
    done |= step_lanes(warp);
    if (meet(warp, operations)) {
      bool failed = false;
      if (!act_for_warp(warp, operations, failed)) return failed ? Turn::failed : done ? Turn::done : Turn::idle;
      done = true;
      if (states_[warp] == WarpState::at_barrier) return Turn::done;
      continue;
    }
    if (act_for_lanes(warp)) continue;
    const auto first = lanes_.begin() + warp * warp_lanes;
    if (std::all_of(first, first + warp_lanes, [](const auto& lane) { return lane->exited(); })) {
      states_[warp] = WarpState::exited;
      return Turn::done;
    }
    const bool one_waits = std::any_of(first, first + warp_lanes, [](const auto& lane) {
      return !lane->exited() && is_lane_word(lane->operation().word);
    });
    if (one_waits) return done ? Turn::done : Turn::idle;
    report_divergence(warp);
    return Turn::failed;
  }
}

// Whether all lanes of the warp are at the same word, one of whole warps.
bool Cta::meet(int warp, WarpOperation& operations) const {
  const auto first = lanes_.begin() + warp * warp_lanes;
  if ((*first)->exited()) return false;
  const Operation& meeting = (*first)->operation();
  if (is_lane_word(meeting.word)) return false;
  for (int lane = 0; lane < warp_lanes; lane++) {
    if (first[lane]->exited()) return false;
    const Operation& operation = first[lane]->operation();
    if (operation.word != meeting.word || operation.line.line != meeting.line.line ||
        operation.line.file != meeting.line.file) {
      return false;
    }
    operations[lane] = &operation;
  }
  return true;
}

// False if the warp has to wait at its word, or if it failed.
bool Cta::act_for_warp(int warp, const WarpOperation& operations, bool& failed) {
  const Operation& meeting = *operations[0];
  if (is_product(meeting.word)) return multiply(warp, failed);
  Site& site = lines_.site(meeting.word, meeting.line);
  if (meeting.word >= Word::wgmma_fence && meeting.word <= Word::named_barrier_arrive) {
    if (!units_.execute(operations, warp, site)) return false;
  } else {
    execute(operations, warp, site, shared_, global_);
  }
  ready_[warp] = all_lanes;
  if (meeting.word == Word::barrier) states_[warp] = WarpState::at_barrier;
  return true;
}

// A product takes the four warps of a warpgroup.
bool Cta::multiply(int warp, bool& failed) {
  at_product_[warp] = true;
  const int warpgroup = warp / warpgroup_warps;
  const int first = warpgroup * warpgroup_warps;
  if (first + warpgroup_warps > warps_) return false;
  std::array<WarpOperation, warpgroup_warps> operations;
  const Site* const site = &site_of(*lanes_[first * warp_lanes]);
  for (int w = first; w < first + warpgroup_warps; w++) {
    if (!at_product_[w] || !meet(w, operations[w - first])) return false;
  }
  for (int w = first; w < first + warpgroup_warps; w++) {
    if (&site_of(*lanes_[w * warp_lanes]) != site) {
      hazards_.add(HazardKind::wgmma_misused, nullptr, *site, w * warp_lanes,
                   "is where some warps of a warpgroup are, and others are at " +
                       place(access(&site_of(*lanes_[w * warp_lanes]), 0)) + ": all four have to come to the same.");
      failed = true;
      return false;
    }
    lines_.site(site->word, site->line).counters.instructions++;
    ready_[w] = all_lanes;
    at_product_[w] = false;
  }
  units_.multiply(warpgroup, operations, *site);
  return true;
}

// Executes the words that lanes of the warp are at for themselves. False if no lane may go on.
bool Cta::act_for_lanes(int warp) {
  uint32_t seen = 0;
  for (int lane = 0; lane < warp_lanes; lane++) {
    const Lane& first = *lanes_[warp * warp_lanes + lane];
    if ((seen >> lane & 1) != 0 || first.exited() || !is_lane_word(first.operation().word)) continue;
    Site& site = lines_.site(first.operation().word, first.operation().line);
    AsyncUnits::Lanes together;
    for (int other = lane; other < warp_lanes; other++) {
      const Lane& state = *lanes_[warp * warp_lanes + other];
      if (state.exited() || state.operation().word != site.word || state.operation().line.line != site.line.line ||
          state.operation().line.file != site.line.file) {
        continue;
      }
      seen |= uint32_t{1} << other;
      together.threads[together.count] = warp * warp_lanes + other;
      together.operations[together.count++] = &state.operation();
    }
    ready_[warp] |= units_.execute(together, site);
  }
  return ready_[warp] != 0;
}

// Steps those that may go on, each to its next word. False if there are none.
bool Cta::step_lanes(int warp) {
  if (ready_[warp] == 0) return false;
  if (config_.lane_order_seed != 0) std::shuffle(lane_order_.begin(), lane_order_.end(), random_);
  for (const int lane_number : lane_order_) {
    if ((ready_[warp] >> lane_number & 1) == 0) continue;
    const int thread = warp * warp_lanes + lane_number;
    Lane& lane = *lanes_[thread];
    if (lane.exited()) continue;
    threadIdx = {static_cast<unsigned>(thread), 0, 0};
    lane.resume();
    if (lane.error()) std::rethrow_exception(lane.error());
  }
  ready_[warp] = 0;
  return true;
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

// No warp can go on, and nothing is under way that could change that.
void Cta::report_deadlock() {
  std::string text = "deadlock: ";
  const Site* first = nullptr;
  int first_thread = 0;
  for (int warp = 0; warp < warps_; warp++) {
    if (states_[warp] == WarpState::exited) continue;
    for (int lane = 0; lane < warp_lanes; lane++) {
      const int thread = warp * warp_lanes + lane;
      const Lane& state = *lanes_[thread];
      if (state.exited()) continue;
      const Operation& operation = state.operation();
      const std::string awaited = units_.awaited(operation);
      if (lane > 0 && awaited.empty()) continue;
      const Site* const site = &site_of(state);
      if (first == nullptr) first_thread = thread;
      if (first == nullptr) first = site;
      text += (text.ends_with(": ") ? "warp " : "; warp ") + std::to_string(warp) + " waits at " +
              place(access(site, thread)) + awaited;
      break;
    }
  }
  hazards_.add(HazardKind::deadlock, nullptr, *first, first_thread, text + ".");
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
