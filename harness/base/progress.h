// One line that says what is being done. It appears on stderr, and only if that is a terminal.
#pragma once

#include <string>

namespace flash_steps {

class Progress {
 public:
  Progress();
  ~Progress();  ///< clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void say(const std::string& text);
  void clear();

 private:
  bool on_terminal_;
};

}  // namespace flash_steps
