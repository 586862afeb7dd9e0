#include "harness/results/sweeps.h"

#include <algorithm>
#include <stdexcept>

#include "harness/base/folders.h"
#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/results/compare.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels()) names.push_back(kernel.name);
  return names;
}

// What the table divides by or shows. Throws std::runtime_error.
void check_runs(const ResultsFile& file) {
  const std::vector<std::string> names = kernel_names();
  const auto refuse = [&](size_t i, const std::string& what) {
    throw std::runtime_error(file.file.string() + ": runs[" + std::to_string(i) + "]." + what);
  };
  const std::vector<Run>& runs = file.results.runs;
  for (size_t i = 0; i < runs.size(); i++) {
    const Run& run = runs[i];
    if (std::find(names.begin(), names.end(), run.kernel) == names.end()) {
      refuse(i, "kernel is \"" + run.kernel + "\", which does not exist; the nearest kernel is " +
                    nearest(run.kernel, names) + ", and a file made anew would work");
    }
    if (run.timing && !(run.timing->tflops > 0)) refuse(i, "timing.tflops is not a number above 0");
    const auto fa2 = run.baselines.find(Baseline::fa2);
    if (fa2 != run.baselines.end() && !(fa2->second.tflops > 0)) {
      refuse(i, "baselines.fa2.tflops is not a number above 0");
    }
  }
}

bool has_times(const ResultsFile& file, const Published& published) {
  const auto counts = [&](const Run& run) { return run.timing && published.has(run.problem); };
  return std::any_of(file.results.runs.begin(), file.results.runs.end(), counts);
}

bool is_newer(const ResultsFile* a, const ResultsFile* b) {
  return a->results.meta.date > b->results.meta.date;  // the dates' form sorts as text
}

void enter(Sweep& sweep, const ResultsFile& file, const Published& published) {
  const auto fits = [&](const Problem& problem) { return problem.dtype == sweep.dtype && published.has(problem); };
  for (const Run* run : best_runs(file.results.runs)) {
    if (fits(run->problem)) sweep.best_runs.insert({{run->kernel, run->problem.seqlen}, run});
  }
  for (const BaselineRun& run : file.results.baselines) {
    if (run.baseline == Baseline::fa2 && run.timing && fits(run.problem)) sweep.fa2.insert({run.problem.seqlen, &run});
  }
}

// A file without times of published problems is complained of only if someone asked for it.
TableFiles read_all(const std::vector<fs::path>& files, const Published& published, bool asked_for) {
  TableFiles table;
  for (const fs::path& file : files) {
    try {
      ResultsFile results = read_results_file(file);
      if (has_times(results, published)) {
        table.files.push_back(std::move(results));
      } else if (asked_for) {
        table.complaints.push_back(file.string() +
                                   ": runs holds no time of a published problem; one made on a GPU with batch, heads "
                                   "and inputs left at their defaults would work");
      }
    } catch (const std::runtime_error& error) {
      table.complaints.emplace_back(error.what());
    }
  }
  return table;
}

}  // namespace

std::string ResultsFile::name() const {
  std::error_code error;
  const fs::path relative = fs::relative(file, source_folder(), error);
  return error || relative.empty() || *relative.begin() == ".." ? file.string() : relative.string();
}

std::string ResultsFile::command() const {
  std::vector<std::string> words = {"./runner"};
  const std::vector<std::string>& argv = results.meta.argv;
  for (size_t i = 1; i < argv.size(); i++) {
    if (argv[i] == "--json")
      i++;
    else if (!argv[i].starts_with("--json="))
      words.push_back(argv[i]);
  }
  return join(words, " ");
}

std::string ResultsFile::device() const {
  const std::string vendor = "NVIDIA ";
  const std::string& name = results.device.name;
  return name.starts_with(vendor) ? name.substr(vendor.size()) : name;
}

ResultsFile read_results_file(const fs::path& file) {
  ResultsFile read{file, read_results(file)};
  check_runs(read);
  return read;
}

TableFiles read_table_files(const std::vector<fs::path>& files, const Published& published) {
  return read_all(files, published, true);
}

TableFiles read_table_folder(const fs::path& folder, const Published& published) {
  std::vector<fs::path> files = results_in(folder);
  std::erase_if(files, [](const fs::path& file) {
    const std::string schema = schema_of(file);
    return !schema.empty() && !schema.starts_with("flash-steps/results/");
  });
  return read_all(files, published, false);
}

const Chapter& chapter_of(const fs::path& file) {
  const fs::path folder = fs::absolute(file).lexically_normal().parent_path();
  for (const char* within : {"docs", "results"}) {
    if (const Chapter* const found = chapter_of_folder(folder, within)) return *found;
  }
  return chapter(sixteen);
}

std::vector<ResultsFile> files_of(const Chapter& chapter, const std::vector<ResultsFile>& files) {
  std::vector<ResultsFile> own;
  for (const ResultsFile& file : files) {
    if (&chapter_of(file.file) == &chapter) own.push_back(file);
  }
  return own;
}

const Run* Sweep::best_run(const std::string& kernel, int seqlen) const {
  const auto found = best_runs.find({kernel, seqlen});
  return found == best_runs.end() ? nullptr : found->second;
}

std::vector<Sweep> sweeps_of(std::span<const ResultsFile> files, const Published& published,
                             const std::vector<const Kernel*>& kernels) {
  const auto is_asked_for = [&](const std::string& name) {
    return kernels.empty() ||
           std::any_of(kernels.begin(), kernels.end(), [&](const Kernel* kernel) { return kernel->name == name; });
  };
  std::vector<Sweep> sweeps;
  for (const ResultsFile& file : files) {
    for (const Run& run : file.results.runs) {
      if (!run.timing || !published.has(run.problem) || !is_asked_for(run.kernel)) continue;
      const std::string gpu = file.device();
      auto sweep = std::find_if(sweeps.begin(), sweeps.end(), [&](const Sweep& other) {
        return other.gpu == gpu && other.dtype == run.problem.dtype;
      });
      if (sweep == sweeps.end()) {
        sweep = sweeps.insert(sweep, Sweep{gpu, run.problem.dtype, file.results.device.sm_clock_max_mhz, {}, {}, {}});
      }
      if (std::find(sweep->files.begin(), sweep->files.end(), &file) == sweep->files.end()) {
        sweep->files.push_back(&file);
      }
    }
  }
  for (Sweep& sweep : sweeps) {
    std::stable_sort(sweep.files.begin(), sweep.files.end(), is_newer);
    for (const ResultsFile* file : sweep.files) enter(sweep, *file, published);
  }
  return sweeps;
}

}  // namespace flash_steps
