// The kernels that there are: one for each file below kernels/.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/contract/chapter.h"
#include "harness/contract/kernel.h"

namespace flash_steps {

/// A kernel by its name; what its file registers is loaded when it is first asked for (see module.h).
class Kernel {
 public:
  /// `source_file` is below kernels/. Throws std::invalid_argument, with a sentence, for a name that no chapter has.
  explicit Kernel(const std::filesystem::path& source_file);

  /// One that is loaded, with these variants.
  Kernel(const std::string& name, const std::string& summary, std::vector<Variant> emulator,
         std::vector<Variant> gpu = {});

  std::string name;                   ///< "01_base"
  std::filesystem::path source_file;  ///< as the build found it
  const Chapter* chapter;
  int number;  ///< in its chapter

  /// Each throws MachineError if the kernel is not built for that target.
  const std::string& summary() const;  ///< one line
  const std::vector<Variant>& variants(Target target) const;
  const std::vector<Variant>& emulator() const { return variants(Target::emulator); }
  const std::vector<Variant>& gpu() const { return variants(Target::gpu); }

  /// The number as it is typed: "07", "p03".
  std::string label() const;

  /// "kernels/primer/p03_fa1.cu", and the same for its page: "docs/primer/p03_fa1.md".
  std::filesystem::path source_path() const;
  std::filesystem::path page_path() const;

 private:
  struct Loaded {
    std::unique_ptr<Registered> emulator, gpu;
  };
  const Registered& registered(Target target) const;
  void read_name();

  std::shared_ptr<Loaded> loaded_;
};

/// All kernels, in the order of reading.
const std::vector<Kernel>& kernels();

/// What is wrong with files below kernels/ that are therefore no kernels, a sentence each.
const std::vector<std::string>& registry_complaints();

/// The kernels of these files in the order of reading; what is wrong with the others goes to `complaints`.
std::vector<Kernel> kernels_of(const std::vector<std::filesystem::path>& files, std::vector<std::string>& complaints);

/// Those of one chapter.
std::vector<const Kernel*> of_chapter(const std::string& name, const std::vector<Kernel>& among = kernels());

/// The step before a kernel of `among`: the one before it in its chapter, and of a chapter's first one the last of the
/// chapter that it follows. nullptr if there is none.
const Kernel* step_before(const Kernel& kernel, const std::vector<Kernel>& among = kernels());

/// nullptr if there is none of this name.
const Kernel* find_kernel(const std::string& name, const std::vector<Kernel>& among = kernels());

/// Names of a kernel's configs, each once, in the order of the file.
std::vector<std::string> configs_of(const Kernel& kernel);

}  // namespace flash_steps
