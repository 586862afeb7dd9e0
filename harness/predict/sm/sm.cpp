#include "harness/predict/sm/sm.h"

#include <algorithm>
#include <deque>
#include <limits>

#include "harness/predict/sm/memory_pipe.h"

namespace flash_steps {
namespace {

constexpr int sub_cores = 4;
constexpr int64_t never = std::numeric_limits<int64_t>::max() / 2;

enum class Phase : uint8_t { prologue, masked, between, loop, epilogue };

struct Warp {
  int slot = 0;
  int cta = 0;
  bool live = false;
  bool at_barrier = false;
  Passes passes;
  Phase phase = Phase::prologue;
  int at = 0;            // the step in its phase
  int pass = 0;          // of the loop
  int64_t ready = 0;     // from when its next instruction may issue
  int64_t age = 0;       // warps that started later have a higher one
  int barriers[6] = {};  // of the scoreboard: what each still waits for
  Unit waits_for[6] = {};
  int64_t copies_issued = 0;
  int64_t copies_done = 0;
  std::deque<int64_t> groups;  // for each open group of copies, how many must be done
  Stall stall = Stall::other;  // at present
};

// The units of one quarter of an SM: the times from which they are free.
struct SubCore {
  double tensor = 0, first_half = 0, second_half = 0, alu = 0, mufu = 0, ports = 0;
  int last_issued = -1;  // the warp that issued last
  int greedy = -1;       // that goes on unless it cannot
};

class Sm {
 public:
  Sm(const SmTimings& timings, const Schedule& schedule, int resident, int ctas, Recorder* recorder)
      : timings_(timings),
        schedule_(schedule),
        ctas_(ctas),
        recorder_(recorder),
        memory_(timings, schedule.work, events_, spread_, recorder),
        warps_(static_cast<size_t>(resident) * schedule.work.warps),
        at_barrier_(resident, 0),
        live_(resident, 0) {
    int last = 0;
    for (const Phase phase : {Phase::prologue, Phase::masked, Phase::between, Phase::loop, Phase::epilogue}) {
      for (const Step& step : steps(phase)) last = std::max(last, step.index);
    }
    run_.by_index.resize(last + 1);
    for (int slot = 0; slot < resident; slot++) start_cta(slot, static_cast<int64_t>(slot * timings.cta_stagger));
  }

  SmRun run() {
    while (static_cast<int>(run_.finished.size()) < ctas_) step();
    run_.shared_busy = memory_.busy();
    run_.cycles = run_.finished.back();
    return std::move(run_);
  }

 private:
  const std::vector<Step>& steps(Phase phase) const {
    const std::vector<Step>* const steps[] = {&schedule_.prologue, &schedule_.masked, &schedule_.between,
                                              &schedule_.loop, &schedule_.epilogue};
    return *steps[static_cast<int>(phase)];
  }

  static int passes(const Warp& warp) {
    return warp.phase == Phase::masked ? warp.passes.masked : warp.phase == Phase::loop ? warp.passes.unmasked : 1;
  }
  const Step& step_of(const Warp& warp) const { return steps(warp.phase)[warp.at]; }

  void start_cta(int slot, int64_t time) {
    if (started_ == ctas_) return;
    const int warps = schedule_.work.warps;
    for (int k = 0; k < warps; k++) {
      Warp& warp = warps_[static_cast<size_t>(slot) * warps + k];
      warp = Warp{};
      warp.slot = slot;
      warp.cta = started_;
      warp.passes = schedule_.work.passes[started_ % schedule_.work.passes.size()];
      warp.live = true;
      warp.ready = time;
      if (schedule_.prologue.empty()) enter_next_phase(warp);
      warp.age = ++ages_;
    }
    live_[slot] = warps;
    at_barrier_[slot] = 0;
    started_++;
  }

  void step() {
    while (events_.due(now_)) happen(events_.take());
    memory_.step(now_);
    wake_ = never;
    bool issued = false;
    for (int s = 0; s < sub_cores; s++) issued = issue_from(s) || issued;
    int64_t next = now_ + 1;
    if (!issued) next = std::max(next, std::min({wake_, events_.next(never), memory_.next(now_, never)}));
    account(next - now_);
    now_ = next;
  }

  void happen(const Event& event) {
    Warp& warp = warps_[event.warp];
    switch (event.kind) {
      case Event::Kind::release:
        warp.barriers[event.barrier]--;
        break;
      case Event::Kind::fill:
        memory_.fill(event.warp);
        break;
      case Event::Kind::copied:
        warp.copies_done++;
        while (!warp.groups.empty() && warp.copies_done >= warp.groups.front()) {
          warp.groups.pop_front();
          events_.add(now_ + static_cast<int64_t>(timings_.commit_latency), event.warp, Event::Kind::release, 0);
        }
        break;
    }
  }

  // Greedy, then youngest: the warp that issued last goes on, and when it cannot, the one that started last does
  // (Huerta et al., arXiv 2503.20481).
  bool issue_from(int s) {
    SubCore& core = cores_[s];
    int best = -1;
    for (int w = s; w < static_cast<int>(warps_.size()); w += sub_cores) {
      Warp& warp = warps_[w];
      if (!warp.live) continue;
      warp.stall = stall_of(warp, core, s);
      if (warp.stall != Stall::issued) continue;
      warp.stall = Stall::not_selected;
      if (best < 0 || is_before(core, w, best)) best = w;
    }
    if (best < 0) return false;
    issue(best, core, s);
    return true;
  }

  bool is_before(const SubCore& core, int w, int other) const {
    if (timings_.greedy == 0) {  // by turns: the one that comes next behind the one that issued last
      const int count = static_cast<int>(warps_.size());
      const auto turn = [&](int warp) { return (warp - core.last_issued - 1 + count) % count; };
      return turn(w) < turn(other);
    }
    if (core.greedy == w || core.greedy == other) return core.greedy == w;
    return warps_[w].age > warps_[other].age;
  }

  // Waits at least until `time` before another look is worth it.
  Stall until(double time, Stall stall) {
    wake_ = std::min(wake_, std::max(now_ + 1, static_cast<int64_t>(time) + (time > static_cast<int64_t>(time))));
    return stall;
  }

  Stall stall_of(const Warp& warp, const SubCore& core, int s) {
    if (warp.at_barrier) return Stall::barrier;
    if (warp.ready > now_) return until(warp.ready, Stall::fixed);
    const Step& step = step_of(warp);
    if (step.wait != 0) {
      for (int b = 0; b < 6; b++) {
        if ((step.wait >> b & 1) != 0 && warp.barriers[b] > 0) return stall_for(warp.waits_for[b]);
      }
    }
    if (timings_.operand_ports != 0 && core.ports > static_cast<double>(now_)) {
      return until(core.ports, Stall::ports);
    }
    return stall_of_unit(warp, step, core, s);
  }

  Stall stall_of_unit(const Warp& warp, const Step& step, const SubCore& core, int s) {
    const auto when = [&](double free, Stall stall) {
      return free <= static_cast<double>(now_) ? Stall::issued : until(free, stall);
    };
    switch (step.unit) {
      case Unit::tensor:
        return when(core.tensor, Stall::tensor);
      case Unit::fp32:
        return when(timings_.two_fp32_halves ? std::min(core.first_half, core.second_half) : core.first_half,
                    Stall::math);
      case Unit::imad:
        return when(core.first_half, Stall::math);
      case Unit::alu:
        return when(core.alu, Stall::math);
      case Unit::mufu:
        return when(core.mufu - timings_.mufu_ahead * timings_.mufu_interval, Stall::mufu);
      case Unit::copy_wait:
        return warp.barriers[0] <= step.count ? Stall::issued : Stall::copy;
      default:
        return !takes_memory_pipe(step.unit) || memory_.has_room(s) ? Stall::issued : Stall::queue;
    }
  }

  void issue(int w, SubCore& core, int s) {
    Warp& warp = warps_[w];
    const Step& step = step_of(warp);
    warp.stall = Stall::issued;
    run_.issued++;
    run_.by_index[step.index][static_cast<int>(Stall::issued)]++;
    if (timings_.operand_ports != 0) {
      const double reads = core.last_issued == w ? step.reads_kept : step.reads;
      const double extra = step.unit == Unit::tensor ? timings_.tensor_port_extra : 0;
      core.ports = std::max(core.ports, static_cast<double>(now_)) + reads + extra;
    }
    core.last_issued = w;
    core.greedy = step.yield ? -1 : w;
    warp.ready = now_ + step.stall;
    const int64_t until = start(w, warp, step, core, s);
    if (recorder_ != nullptr) {
      recorder_->issued(now_, until, warp.slot, w % schedule_.work.warps, warp.cta, step);
    }
    if (step.unit == Unit::exit) {
      end(warp);
    } else {
      advance(warp);
    }
  }

  void hold(Warp& warp, int barrier, Unit unit) {
    if (barrier < 0) return;
    warp.barriers[barrier]++;
    warp.waits_for[barrier] = unit;
  }

  void release(int w, int barrier, double time) {
    if (barrier >= 0) {
      events_.add(std::max(now_ + 1, static_cast<int64_t>(time)), w, Event::Kind::release, barrier);
    }
  }

  // Occupies the unit; returns when it is free again.
  int64_t start(int w, Warp& warp, const Step& step, SubCore& core, int s) {
    const double now = static_cast<double>(now_);
    switch (step.unit) {
      case Unit::tensor:
        core.tensor = std::max(core.tensor, now - 1) + timings_.tensor_interval;
        run_.tensor_busy += static_cast<int64_t>(timings_.tensor_interval);
        return static_cast<int64_t>(core.tensor);
      case Unit::fp32:
        run_.fp32_busy += static_cast<int64_t>(timings_.half_interval);
        if (timings_.two_fp32_halves && core.second_half <= now) {
          core.second_half = now + timings_.half_interval;
        } else {
          core.first_half = now + timings_.half_interval;
        }
        return now_ + static_cast<int64_t>(timings_.half_interval);
      case Unit::imad:
        run_.fp32_busy += static_cast<int64_t>(timings_.half_interval);
        core.first_half = now + timings_.half_interval;
        return static_cast<int64_t>(core.first_half);
      case Unit::alu:
        run_.alu_busy += static_cast<int64_t>(timings_.alu_interval);
        core.alu = now + timings_.alu_interval;
        return static_cast<int64_t>(core.alu);
      case Unit::mufu:
        return start_mufu(w, warp, step, core);
      default:
        return start_other(w, warp, step, s);
    }
  }

  int64_t start_mufu(int w, Warp& warp, const Step& step, SubCore& core) {
    const double begin = std::max(core.mufu, static_cast<double>(now_));
    core.mufu = begin + timings_.mufu_interval;
    run_.mufu_busy += static_cast<int64_t>(timings_.mufu_interval);
    hold(warp, step.read_barrier, step.unit);
    hold(warp, step.write_barrier, step.unit);
    release(w, step.read_barrier, begin + timings_.read_latency);
    release(w, step.write_barrier, begin + timings_.mufu_latency);
    return static_cast<int64_t>(core.mufu);
  }

  int64_t start_other(int w, Warp& warp, const Step& step, int s) {
    if (takes_memory_pipe(step.unit)) {
      hold(warp, step.read_barrier, step.unit);
      hold(warp, step.write_barrier, step.unit);
      if (step.unit == Unit::copy) warp.copies_issued++;
      memory_.request(s, w, step, now_);
      return now_ + std::max<int>(1, step.wavefronts);
    }
    switch (step.unit) {
      case Unit::commit:
        if (step.write_barrier >= 0 && (warp.copies_done < warp.copies_issued || !warp.groups.empty())) {
          hold(warp, step.write_barrier, step.unit);
          warp.groups.push_back(warp.copies_issued);
        }
        return now_ + 1;
      case Unit::barrier:
        arrive(warp);
        return now_ + 1;
      default:
        hold(warp, step.write_barrier, step.unit);
        hold(warp, step.read_barrier, step.unit);
        release(w, step.write_barrier, static_cast<double>(now_) + timings_.special_latency);
        release(w, step.read_barrier, static_cast<double>(now_) + timings_.uniform_latency);
        return now_ + 1;
    }
  }

  void arrive(Warp& warp) {
    warp.at_barrier = true;
    const int warps = schedule_.work.warps;
    if (++at_barrier_[warp.slot] < warps) return;
    at_barrier_[warp.slot] = 0;
    for (int k = 0; k < warps; k++) {
      Warp& other = warps_[static_cast<size_t>(warp.slot) * warps + k];
      other.at_barrier = false;
      other.ready = std::max(other.ready, now_ + static_cast<int64_t>(timings_.barrier_latency));
    }
  }

  void end(Warp& warp) {
    warp.live = false;
    if (--live_[warp.slot] > 0) return;
    run_.finished.push_back(now_);
    start_cta(warp.slot, now_ + static_cast<int64_t>(timings_.cta_latency * (1 + spread_.next())));
  }

  void advance(Warp& warp) {
    const std::vector<Step>& all = steps(warp.phase);
    warp.at++;
    while (warp.at < static_cast<int>(all.size()) && is_skipped(warp, all[warp.at])) warp.at++;
    if (warp.at < static_cast<int>(all.size())) return;
    warp.at = 0;
    if (++warp.pass < passes(warp)) {
      warp.ready += static_cast<int64_t>(timings_.branch_latency);
      return;
    }
    enter_next_phase(warp);
  }

  bool is_skipped(const Warp& warp, const Step& step) const {
    if (!step.not_in_last && !step.of_next_tile) return false;
    if (warp.pass < passes(warp) - 1) return false;
    const bool more_tiles = (warp.phase < Phase::loop && warp.passes.unmasked > 0) ||
                            (warp.phase < Phase::masked && warp.passes.masked > 0);
    return step.not_in_last || !more_tiles;
  }

  void enter_next_phase(Warp& warp) const {
    warp.pass = 0;
    do {
      warp.phase = static_cast<Phase>(static_cast<int>(warp.phase) + 1);
    } while (warp.phase != Phase::epilogue && (passes(warp) == 0 || steps(warp.phase).empty()));
  }

  void account(int64_t cycles) {
    for (const Warp& warp : warps_) {
      if (!warp.live) continue;
      if (warp.stall == Stall::issued) continue;  // counted when it issued, and a cycle long
      run_.by_index[step_of(warp).index][static_cast<int>(warp.stall)] += cycles;
    }
  }

  const SmTimings& timings_;
  const Schedule& schedule_;
  const int ctas_;
  Recorder* const recorder_;
  Events events_;
  Spread spread_;
  MemoryPipe memory_;
  SubCore cores_[sub_cores];
  std::vector<Warp> warps_;
  std::vector<int> at_barrier_;  // by slot: warps that have arrived
  std::vector<int> live_;        // by slot: warps that have not ended
  int started_ = 0;
  int64_t ages_ = 0;
  int64_t now_ = 0;
  int64_t wake_ = never;
  SmRun run_;
};

}  // namespace

SmRun run_sm(const SmTimings& timings, const Schedule& schedule, int resident, int ctas, Recorder* recorder) {
  return Sm(timings, schedule, resident, std::max(ctas, resident), recorder).run();
}

}  // namespace flash_steps
