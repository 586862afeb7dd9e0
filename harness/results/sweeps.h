// The results files of the table: which they are, and what of them counts.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/published.h"
#include "harness/results/results.h"

namespace flash_steps {

struct ResultsFile {
  std::filesystem::path file;
  Results results;

  /// As it is shown: from the project's folder on if it lies there, otherwise as given.
  std::string name() const;
  /// The day on which it was made: "2025-01-31".
  std::string date() const { return results.meta.date.substr(0, 10); }
  /// The command that made it, as it would be typed: without the place of the program and of its output.
  std::string command() const;
  /// "H100 80GB HBM3", or "emulator".
  std::string device() const;
};

/// Throws std::runtime_error that names the file and the field where it is not of this schema or of a kernel that does
/// not exist.
ResultsFile read_results_file(const std::filesystem::path& file);

struct TableFiles {
  std::vector<ResultsFile> files;
  std::vector<std::string> complaints;  ///< a sentence for each file that is not among them and should be
};

/// Reads files that were named: each must be of this schema, of kernels that exist, and hold times of the published
/// problems.
TableFiles read_table_files(const std::vector<std::filesystem::path>& files, const Published& published);

/// Reads those of a folder and of the chapters' folders in it, by name. What is of another schema or holds no times of
/// the published problems is passed over.
TableFiles read_table_folder(const std::filesystem::path& folder, const Published& published);

/// The chapter in whose folder of docs/ or of results a page or a file lies; the sixteen for one that lies in no
/// chapter's, wherever the project itself lies.
const Chapter& chapter_of(const std::filesystem::path& file);

/// The files of a chapter: those in its folder of docs/results, and of the sixteen all that lie in no chapter's. Others
/// may hold a step that was timed beside theirs.
std::vector<ResultsFile> files_of(const Chapter& chapter, const std::vector<ResultsFile>& files);

/// The runs of one GPU in one dtype on the published problems, from one or several files. Where two hold the same run,
/// that of the newer one counts. Points into the files.
struct Sweep {
  std::string gpu;  ///< "H100 80GB HBM3"
  Dtype dtype = Dtype::fp16;
  double sm_clock_max_mhz = 0;
  std::vector<const ResultsFile*> files;                        ///< the newest first
  std::map<std::pair<std::string, int>, const Run*> best_runs;  ///< by kernel and seqlen: of its configs the fastest
  std::map<int, const BaselineRun*> fa2;                        ///< by seqlen, where it was timed

  std::string name() const { return gpu + ", " + name_of(dtype); }
  /// nullptr if there is none.
  const Run* best_run(const std::string& kernel, int seqlen) const;
};

/// In the order of the files. Those that hold no time of any of `kernels` are passed over; with none all count.
std::vector<Sweep> sweeps_of(std::span<const ResultsFile> files, const Published& published,
                             const std::vector<const Kernel*>& kernels = {});

}  // namespace flash_steps
