// Fuzzes the readers of results files. Whatever bytes a file holds, it is read or refused with a std::runtime_error;
// and what was read can be written, read again, shown, compared with and put into the table.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/base/error.h"
#include "harness/console/report.h"
#include "harness/contract/registry.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/results/read.h"
#include "harness/results/stored_times.h"
#include "harness/results/sweeps.h"
#include "harness/results/write.h"
#include "harness/runner/options.h"
#include "harness/runner/resume.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

// A folder that is this process's own, in memory where the system has that.
class Folder {
 public:
  Folder()
      : path_((fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) /
              ("flash_steps_fuzz_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Writing rounds nothing off and loses nothing: what is read from it is written the same.
void check_round_trip(const Results& results, const fs::path& file) {
  write_results(results, file);
  const std::string once = content(file);
  write_results(read_results(file), file);
  if (content(file) != once) std::abort();
}

// The same GPU without its baselines finds their times in the file.
void compare_with_file(Results results, const fs::path& folder) {
  for (BaselineRun& run : results.baselines) run.unavailable = "there is none";
  compare_with_stored(results.runs, results.baselines, results.device, folder);
  std::ostringstream out;
  print_gpu_table(out, results.runs, results.baselines);
  for (const Run& run : results.runs) print_emulated(out, run);
  print_summary(out, results.runs);
}

void resume(const Results& results, const fs::path& file) {
  Options options;
  options.json = file;
  try {
    results_to_resume(options, {&kernels().front()}, {}, results.meta, results.device);
  } catch (const UsageError&) {
  }
}

void use(const fs::path& file) {
  static const Published published = read_published();
  const TableFiles in_folder = read_table_folder(file.parent_path(), published);
  const TableFiles named = read_table_files({file}, published);
  std::vector<const Kernel*> steps;
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels()) {
    steps.push_back(&kernel);
    names.push_back(kernel.name);
  }
  for (const TableFiles* table : {&in_folder, &named}) {
    const std::vector<Sweep> sweeps = sweeps_of(table->files, published);
    render_table(steps, published, sweeps);
    for (const Sweep& sweep : sweeps) render_steps(names, sweep);
  }
  const Results results = read_results(file);
  resume(results, file);
  compare_with_file(results, file.parent_path());
  check_round_trip(results, file.parent_path() / "again.json");
  fs::remove(file.parent_path() / "again.json");
}

}  // namespace
}  // namespace flash_steps

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const flash_steps::Folder folder;
  const std::filesystem::path file = folder.path() / "results.json";
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    flash_steps::use(file);
  } catch (const std::runtime_error&) {
  }
  return 0;
}
