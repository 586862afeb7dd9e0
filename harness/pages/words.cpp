#include "harness/pages/words.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/console/diff.h"
#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"
#include "harness/pages/tables/checks/evidence.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/pages/tables/times/steps.h"
#include "harness/results/folder.h"
#include "harness/sass/stored.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// What the words behind a block's name say; what is none of these is left in `others`.
struct Asked {
  int seqlen = table_seqlen;
  std::vector<int> seqlens;
  Dtype dtype = Dtype::fp16;
  const Kernel* kernel = nullptr;
  Words others;

  const Kernel& named() const {
    if (kernel == nullptr) throw std::runtime_error("no step is named; 01 would work");
    return *kernel;
  }
  std::string other() const { return join(others, " "); }
};

const Kernel* labelled(const std::string& word) {
  for (const Kernel& kernel : kernels()) {
    if (kernel.label() == word || kernel.name == word) return &kernel;
  }
  return nullptr;
}

Asked asked(const Words& words) {
  Asked asked;
  for (const std::string& word : words) {
    const bool is_number = word.find_first_not_of("0123456789") == std::string::npos;
    if (const Kernel* kernel = labelled(word)) {
      asked.kernel = kernel;
    } else if (word == name_of(Dtype::bf16)) {
      asked.dtype = Dtype::bf16;
    } else if (is_number && word.size() >= 3 && word.size() <= 6) {
      asked.seqlens.push_back(asked.seqlen = std::stoi(word));
    } else {
      asked.others.push_back(word);
    }
  }
  return asked;
}

// What the blocks are made of.
struct Source {
  const fs::path& page;
  const Published& published;
  const std::vector<ResultsFile>& files;

  Sweep h100(Dtype dtype = Dtype::fp16) const { return h100_sweep(dtype, published, files, chapter_of(page)); }
};

std::string percent_text(std::optional<double> percent, const std::string& of, int decimals) {
  if (!percent) throw std::runtime_error(of + " was not timed beside FlashAttention-2 there");
  return fixed(*percent, decimals) + " %";
}

// --- Of the page of a step -----------------------------------------------------------------------------------------

Difference difference_at(const std::string& block, const Source& source, int seqlen, Dtype dtype) {
  const Kernel& step = step_of(block, source.page);
  const Kernel* const before = step_before(step);
  if (before == nullptr) throw std::runtime_error("no step comes before " + step.name);
  const auto found = difference(source.h100(dtype), *before, step, seqlen, read_stored_machine_code());
  if (!found) {
    throw std::runtime_error("the two steps were not both timed beside FlashAttention-2 at " + std::to_string(seqlen));
  }
  return *found;
}

std::string verdict(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const Difference found = difference_at("verdict", source, what.seqlen, what.dtype);
  if (found.outcome() == Outcome::level) return "level with";
  return fixed(std::abs(found.points), 1) + " points " +
         (found.outcome() == Outcome::faster ? "faster than" : "slower than");
}

std::string pays(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const Difference found = difference_at("pays", source, what.seqlen, what.dtype);
  if (found.outcome() == Outcome::slower) return "costs time";
  return found.outcome() == Outcome::faster ? "pays" : "neither pays nor costs";
}

std::string times(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const Kernel& step = step_of("times", source.page);
  const Sweep sweep = source.h100(what.dtype);
  const Kernel* const before = step_before(step);
  const auto from = before == nullptr ? std::nullopt : percent_at(sweep, before->name, what.seqlen);
  const auto to = percent_at(sweep, step.name, what.seqlen);
  if (!from || !to) throw std::runtime_error("the step and the one before it were not both timed there");
  return fixed(*to / *from, 1) + " times as fast";
}

std::string prediction(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const std::vector<std::string> names = {"slower", "level", "faster"};
  const auto name = std::find(names.begin(), names.end(), what.other());
  if (name == names.end() || what.seqlens.empty()) {
    throw std::runtime_error("'" + join(words, " ") + "' predicts nothing; faster 4096 would");
  }
  const auto predicted = static_cast<Outcome>(name - names.begin());
  const bool held = std::all_of(what.seqlens.begin(), what.seqlens.end(), [&](int seqlen) {
    return difference_at("prediction", source, seqlen, what.dtype).outcome() == predicted;
  });
  return held ? "held" : "failed";
}

std::string published(const Words& words, const Source& source) {
  const Kernel& step = step_of("published", source.page);
  for (const PublishedColumn& column : source.published.columns) {
    if (column.is_mean || column.gpu != join(words, " ")) continue;
    const Kernel* const before = step_before(step);
    const bool has_before = before != nullptr && column.percent.count(before->name) > 0;
    return (has_before ? fixed(column.percent.at(before->name), 1) + " → " : "") +
           fixed(column.percent.at(step.name), 1) + " %";
  }
  throw std::runtime_error("nothing was published for '" + join(words, " ") + "'; A100 or RTX 3090 would work");
}

std::string change(const Words&, const Source& source) {
  const ChangedLines changed = changed_lines(step_of("change", source.page));
  return std::to_string(changed.removed) + " lines go, " + std::to_string(changed.added) + " come";
}

// --- Of any page ---------------------------------------------------------------------------------------------------

const Run* run_of(const Sweep& sweep, const Asked& what) {
  if (what.others.empty()) return sweep.best_run(what.named().name, what.seqlen);
  for (const Run& run : sweep.files.front()->results.runs) {
    if (run.kernel == what.named().name && run.config == what.other() && run.problem.seqlen == what.seqlen &&
        run.problem.dtype == what.dtype && run.timing) {
      return &run;
    }
  }
  return nullptr;
}

std::string percent(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const Sweep sweep = source.h100(what.dtype);
  const Run* const run = run_of(sweep, what);
  const bool is_compared = run != nullptr && run->baselines.count(Baseline::fa2) > 0;
  return percent_text(is_compared ? std::optional(run->baselines.at(Baseline::fa2).shown_percent()) : std::nullopt,
                      what.named().name + " " + what.other(), 1);
}

std::string tflops(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const Sweep sweep = source.h100(what.dtype);
  if (what.kernel != nullptr) {
    const Run* const run = run_of(sweep, what);
    if (run == nullptr) throw std::runtime_error(what.kernel->name + " was not timed there");
    return fixed(run->timing->tflops, 0) + " TFLOP/s";
  }
  for (const BaselineRun& run : sweep.files.front()->results.baselines) {
    const bool is_it = name_of(run.baseline) == what.other() && run.problem.seqlen == what.seqlen;
    if (is_it && run.timing && run.problem.dtype == what.dtype) return fixed(run.timing->tflops, 0) + " TFLOP/s";
  }
  throw std::runtime_error("neither a step nor a baseline that was timed there is called '" + what.other() + "'");
}

Fa2Speed fa2_of(const Sweep& sweep) {
  const auto fa2 = fa2_speed(sweep, table_seqlen);
  if (!fa2) throw std::runtime_error("FlashAttention-2 was not timed at seqlen " + std::to_string(table_seqlen));
  return *fa2;
}

double bound_of(const Kernel& kernel, const Sweep& sweep) {
  const Fa2Speed fa2 = fa2_of(sweep);
  const auto highest = read_stored_bounds().highest(kernel, *fa2.rates);
  if (!highest) throw std::runtime_error(kernel.name + " has no bound in the files of the project");
  return fa2.percent(highest->bound.percent_of_peak);
}

std::string highest_bound(const Words& words, const Source& source) {
  const Asked what = asked(words);
  return fixed(bound_of(what.named(), source.h100(what.dtype)), 0) + " %";
}

std::string of_bound(const Words& words, const Source& source) {
  const Asked what = asked(words);
  const Sweep sweep = source.h100(what.dtype);
  const auto reached = percent_at(sweep, what.named().name, table_seqlen);
  return percent_text(reached ? std::optional(100 * *reached / bound_of(what.named(), sweep)) : std::nullopt,
                      what.named().name, 0);
}

std::string fa2_of_peak(const Words&, const Source& source) {
  return fixed(fa2_of(source.h100()).percent_of_peak(), 0) + " %";
}

std::string clock(const Words&, const Source& source) { return fixed(fa2_of(source.h100()).sm_clock_mhz, 0) + " MHz"; }

std::string ceiling(const Words& words, const Source& source) {
  const std::string gpu = words.empty() ? "H100" : join(words, " ");
  for (const ResultsFile& file : source.files) {
    const DeviceFacts& device = file.results.device;
    if (file.device().starts_with(gpu) && device.mma_ceiling_tflops) {
      return fixed(*device.mma_ceiling_tflops, 0) + " TFLOP/s";
    }
  }
  throw std::runtime_error("no file has the ceiling of a GPU called " + gpu);
}

std::string launches(const Words& words, const Source& source) {
  double ms = 0;
  const auto add = [&](const auto& runs) {
    for (const auto& run : runs) {
      if (run.timing) ms = std::accumulate(run.timing->samples_ms.begin(), run.timing->samples_ms.end(), ms);
    }
  };
  const auto add_file = [&](const ResultsFile& file) {
    add(file.results.runs);
    add(file.results.baselines);
  };
  if (words == Words{"all"}) {
    for (const ResultsFile& file : source.files) add_file(file);
  } else {
    add_file(*source.h100().files.front());
  }
  return fixed(std::ceil(ms / 60000), 0) + " minutes";
}

std::string noise(const Words& words, const Source& source) {
  const Asked what = asked(words);
  return fixed(noise_points(source.h100(what.dtype), what.seqlen, read_stored_machine_code()), 1) + " points";
}

std::string figure(const Words& words, const Source&) { return render_figure(join(words, " "), stored_results()); }

struct Block {
  const char* name;
  std::string (*render)(const Words& words, const Source& source);
};

constexpr Block all_blocks[] = {{"verdict", verdict},
                                {"pays", pays},
                                {"times", times},
                                {"prediction", prediction},
                                {"published", published},
                                {"change", change},
                                {"percent", percent},
                                {"tflops", tflops},
                                {"highest-bound", highest_bound},
                                {"of-bound", of_bound},
                                {"fa2-of-peak", fa2_of_peak},
                                {"clock", clock},
                                {"ceiling", ceiling},
                                {"noise", noise},
                                {"launches", launches},
                                {"figure", figure}};

}  // namespace

const Kernel& step_of(const std::string& block, const fs::path& page) {
  const Kernel* const kernel = find_kernel(page.stem().string());
  if (kernel == nullptr) {
    refuse_page(page, opening_marker(block) + " is for the page of a step, as in " +
                          kernels().front().page_path().filename().string());
  }
  return *kernel;
}

Sweep h100_sweep(Dtype dtype, const Published& published, const std::vector<ResultsFile>& files, const Chapter& of) {
  const std::string name = dtype == Dtype::fp16 ? "h100.json" : "h100_bf16.json";
  for (const ResultsFile& file : files) {
    if (file.file.filename() != name || &chapter_of(file.file) != &of) continue;
    const std::vector<Sweep> sweeps = sweeps_of({&file, 1}, published, of_chapter(of.name));
    for (const Sweep& sweep : sweeps) {
      if (sweep.dtype == dtype) return sweep;
    }
    throw std::runtime_error(std::string(name_of(dtype)) + " is shown, of which " + file.name() + " has no run");
  }
  throw std::runtime_error("it is made from " + name + ", which is not among the files; " + stored_name(of, name) +
                           ", made by a sweep on an H100, would work");
}

std::vector<PageBlock> blocks_within_lines(const fs::path& page, const Published& published,
                                           const std::vector<ResultsFile>& files) {
  const Source source{page, published, files};
  std::vector<PageBlock> blocks;
  for (const Block& block : all_blocks) {
    const auto render = [source, block](const Words& words) {
      try {
        return block.render(words, source);
      } catch (const UsageError&) {
        throw;
      } catch (const std::exception& error) {
        refuse_page(source.page, opening_marker(join({block.name, join(words, " ")}, " ")) + ": " + error.what());
      }
    };
    blocks.push_back({block.name, render, true, true});
  }
  return blocks;
}

}  // namespace flash_steps
