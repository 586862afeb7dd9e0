// What book.js knows of the lines of a kernel.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/sass/stored_lines.h"
#include "harness/site/data.h"
#include "harness/site/text/tools.h"

namespace flash_steps {

/// The counters of one line, of all its words together.
struct LineSum {
  uint64_t instructions = 0;
  uint64_t wavefronts = 0;
  uint64_t ideal_wavefronts = 0;
  uint64_t sectors = 0;
};

/// By line of the file, counted from 1.
std::map<int, LineSum> sums_of(const CountedLines& counted);

/// JSON: the name of the kernel, its counters by line and word, what its words mean, the architectures of its machine
/// code (empty: there is none) and the addresses that those are loaded from.
std::string line_facts(const Kernel& kernel, const std::vector<std::string>& source, const SiteData& data,
                       const std::vector<std::string>& archs);

/// Which line of today's source each line of an earlier text became, 0 where it is gone; index 0 is of no line.
std::vector<int> lines_today(const std::vector<std::string>& then, const std::vector<std::string>& today,
                             const TextTools& tools);

/// A script that gives book.js the machine code for one architecture, with today's lines.
std::string machine_code_script(const KernelLines& lines, const std::string& arch, const std::vector<int>& today);

}  // namespace flash_steps
