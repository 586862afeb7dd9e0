// What the programs share that measure something on a GPU, and whose one option is --json=FILE.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace flash_steps {

/// What such a program does: `json` is the file to write, empty for none, `argv` the command line as a file keeps it.
/// Returns the exit code.
using MeasureOnGpu = std::function<int(const std::string& json, const std::vector<std::string>& argv)>;

/// Reads the command line, refuses a file that cannot be written before anything is measured, and makes of what was
/// thrown a sentence behind the program's name and the runner's exit codes: 1 a kernel was wrong, 2 the command line,
/// 3 the machine cannot.
int run_gpu_program(const std::string& name, const std::string& description, const std::vector<std::string>& argv,
                    const MeasureOnGpu& measure);

}  // namespace flash_steps
