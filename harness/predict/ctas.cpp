#include "harness/predict/ctas.h"

#include <algorithm>
#include <numeric>
#include <queue>

namespace flash_steps {
namespace {

// One SM that shares its time among the CTAs on it.
class SharedSm {
 public:
  explicit SharedSm(const std::vector<double>& speeds) : speeds_(speeds) {}

  void start(double now, double work) {
    advance(now);
    left_.push_back(work);
  }

  // The next CTA ends then.
  double next_end() const { return now_ + *std::min_element(left_.begin(), left_.end()) / speed(); }

  void end(double now) {
    advance(now);
    left_.erase(std::min_element(left_.begin(), left_.end()));
  }

  bool is_empty() const { return left_.empty(); }

 private:
  double speed() const { return speeds_[left_.size() - 1] / static_cast<double>(left_.size()); }

  void advance(double now) {
    if (!left_.empty()) {
      const double done = (now - now_) * speed();
      for (double& work : left_) work -= done;
    }
    now_ = now;
  }

  const std::vector<double>& speeds_;
  std::vector<double> left_;
  double now_ = 0;
};

CtaTiles cta_of(const Problem& problem, const TileShape& tile, int first_row, int sequence) {
  const int last_row = std::min(first_row + tile.tile_rows, problem.queries_of(sequence)) - 1;
  const int seen = std::max(problem.visible_keys(last_row, sequence), 1);
  const int tiles = (seen + tile.tile_cols - 1) / tile.tile_cols;
  const int full = problem.visible_keys(first_row, sequence) / tile.tile_cols;
  return {tiles, std::max(tiles - 1 - full, 0)};
}

}  // namespace

std::vector<CtaTiles> ctas_of(const Problem& problem, const TileShape& tile) {
  const int blocks = (problem.seqlen + tile.tile_rows - 1) / tile.tile_rows;
  std::vector<CtaTiles> ctas;
  for (int sequence = 0; sequence < problem.batch; sequence++) {
    for (int head = 0; head < problem.heads; head++) {
      for (int block = blocks - 1; block >= 0; block--) {
        const int first_row = block * tile.tile_rows;
        if (first_row < problem.queries_of(sequence)) ctas.push_back(cta_of(problem, tile, first_row, sequence));
      }
    }
  }
  return ctas;
}

int64_t tiles_of(const std::vector<CtaTiles>& ctas) {
  return std::accumulate(ctas.begin(), ctas.end(), int64_t{0},
                         [](int64_t sum, const CtaTiles& cta) { return sum + cta.tiles; });
}

double cycles_until_done(const std::vector<double>& work, int sm_count, const std::vector<double>& speeds) {
  using End = std::pair<double, int>;  // when a CTA ends, and on which SM
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::vector<SharedSm> sms(static_cast<size_t>(sm_count), SharedSm(speeds));
  size_t next = 0;
  for (size_t place = 0; place < speeds.size(); place++) {
    for (SharedSm& sm : sms) {
      if (next < work.size()) sm.start(0, work[next++]);
    }
  }
  for (int s = 0; s < sm_count; s++) {
    if (!sms[s].is_empty()) ends.push({sms[s].next_end(), s});
  }
  double now = 0;
  while (!ends.empty()) {
    const int s = ends.top().second;
    now = ends.top().first;
    ends.pop();
    sms[s].end(now);
    if (next < work.size()) sms[s].start(now, work[next++]);
    if (!sms[s].is_empty()) ends.push({sms[s].next_end(), s});
  }
  return now;
}

}  // namespace flash_steps
