// One line that says what is being done, how far it has come and how long it will take. It appears on stderr, and only
// if that is a terminal that can rewrite a line; with `verbose` each text is a line of its own, anywhere.
#pragma once

#include <chrono>
#include <string>

namespace flash_steps {

class Progress {
 public:
  explicit Progress(bool verbose = false);
  ~Progress();  ///< clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// So many steps of about equal length are to come.
  void expect(int steps);

  /// One of them is done.
  void step();

  void say(const std::string& text);
  void clear();

  /// "3 of 16, 12 s left: ": empty while no steps are expected, and without the time before the first is done.
  static std::string position(int done, int steps, double seconds_so_far);

 private:
  using Clock = std::chrono::steady_clock;

  bool live_;
  bool verbose_;
  int steps_ = 0;
  int done_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace flash_steps
