#include "harness/base/progress.h"

#include <cmath>
#include <iostream>

#include "harness/base/terminal.h"

namespace flash_steps {
namespace {

// "12 s", "3 min", "2 h".
std::string duration(double seconds) {
  if (seconds < 90) return std::to_string(std::lround(seconds)) + " s";
  if (seconds < 90 * 60) return std::to_string(std::lround(seconds / 60)) + " min";
  return std::to_string(std::lround(seconds / 3600)) + " h";
}

}  // namespace

Progress::Progress(bool verbose) : live_(live_stderr() && !verbose), verbose_(verbose) {}

Progress::~Progress() { clear(); }

void Progress::expect(int steps) {
  steps_ = steps;
  done_ = 0;
  start_ = Clock::now();
}

void Progress::step() { done_++; }

std::string Progress::position(int done, int steps, double seconds_so_far) {
  if (steps < 2 || done >= steps) return "";
  std::string text = std::to_string(done + 1) + " of " + std::to_string(steps);
  if (done > 0) text += ", " + duration(seconds_so_far / done * (steps - done)) + " left";
  return text + ": ";
}

void Progress::say(const std::string& text) {
  if (!live_ && !verbose_) return;
  const std::chrono::duration<double> so_far = Clock::now() - start_;
  const std::string line = position(done_, steps_, so_far.count()) + text;
  if (verbose_) {
    std::cerr << line << "\n";
  } else {
    std::cerr << "\r\033[K" << line << std::flush;  // back to the start of the line, and clear to its end
  }
}

void Progress::clear() {
  if (live_) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace flash_steps
