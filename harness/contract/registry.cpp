#include "harness/contract/registry.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <tuple>

#include "harness/base/text.h"
#include "harness/contract/kernel_files.h"
#include "harness/contract/module.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

// "p03_fa1" with the prefix "p".
bool is_name(const std::string& name, const std::string& prefix) {
  const size_t at = prefix.size();
  return name.starts_with(prefix) && name.size() > at + 3 && is_digit(name[at]) && is_digit(name[at + 1]) &&
         name[at + 2] == '_';
}

const Chapter* chapter_of_kernel(const fs::path& source_file) {
  const fs::path folder = source_file.parent_path();
  return folder.filename() == "kernels" ? &chapter(sixteen) : chapter_of_folder(folder, "kernels");
}

auto order_of(const Kernel& kernel) { return std::tuple(kernel.chapter - chapters().data(), kernel.number); }

struct Catalogue {
  std::vector<std::string> complaints;
  std::vector<Kernel> kernels = kernels_of(kernel_files(), complaints);
};

const Catalogue& catalogue() {
  static const Catalogue all;
  return all;
}

}  // namespace

Kernel::Kernel(const fs::path& source_file)
    : name(source_file.stem().string()),
      source_file(source_file),
      chapter(chapter_of_kernel(source_file)),
      number(0),
      loaded_(std::make_shared<Loaded>()) {
  if (chapter == nullptr) {
    throw std::invalid_argument(source_file.string() +
                                " is left out: its folder is none of a chapter; kernels/ itself, " +
                                "kernels/primer, kernels/beyond or kernels/variants would work");
  }
  read_name();
}

Kernel::Kernel(const std::string& name, const std::string& summary, std::vector<Variant> emulator,
               std::vector<Variant> gpu)
    : name(name), source_file(name + ".cu"), chapter(&flash_steps::chapter(sixteen)), number(0) {
  for (const Chapter& other : chapters()) {
    if (!other.prefix.empty() && is_name(name, other.prefix)) chapter = &other;
  }
  read_name();
  loaded_ = std::make_shared<Loaded>();
  loaded_->emulator = std::make_unique<Registered>(Registered{name, summary, Target::emulator, std::move(emulator)});
  loaded_->gpu = std::make_unique<Registered>(Registered{name, summary, Target::gpu, std::move(gpu)});
}

void Kernel::read_name() {
  if (!is_name(name, chapter->prefix)) {
    throw std::invalid_argument(source_file.string() + " is left out: " + name + " is not a kernel's name; " +
                                chapter->prefix + "01_" + name + " would work");
  }
  number = std::stoi(name.substr(chapter->prefix.size(), 2));
}

const Registered& Kernel::registered(Target target) const {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::unique_ptr<Registered>& loaded = target == Target::gpu ? loaded_->gpu : loaded_->emulator;
  if (!loaded) loaded = std::make_unique<Registered>(load_module(name, target));
  return *loaded;
}

const std::string& Kernel::summary() const { return registered(Target::emulator).summary; }

const std::vector<Variant>& Kernel::variants(Target target) const { return registered(target).variants; }

std::string Kernel::label() const { return name.substr(0, chapter->prefix.size() + 2); }

fs::path Kernel::source_path() const { return fs::path("kernels") / chapter->folder / (name + ".cu"); }

fs::path Kernel::page_path() const { return fs::path("docs") / chapter->folder / (name + ".md"); }

const std::vector<Kernel>& kernels() { return catalogue().kernels; }

const std::vector<std::string>& registry_complaints() { return catalogue().complaints; }

std::vector<Kernel> kernels_of(const std::vector<fs::path>& files, std::vector<std::string>& complaints) {
  std::vector<Kernel> list;
  for (const fs::path& file : files) {
    try {
      Kernel kernel(file);
      const auto same = std::find_if(list.begin(), list.end(),
                                     [&](const Kernel& other) { return order_of(other) == order_of(kernel); });
      if (same != list.end()) {
        throw std::invalid_argument(file.string() + " is left out: " + same->name + " has the number " +
                                    kernel.label() + " already; another number would work");
      }
      list.push_back(std::move(kernel));
    } catch (const std::invalid_argument& error) {
      complaints.emplace_back(error.what());
    }
  }
  std::sort(list.begin(), list.end(), [](const Kernel& a, const Kernel& b) { return order_of(a) < order_of(b); });
  return list;
}

std::vector<const Kernel*> of_chapter(const std::string& name, const std::vector<Kernel>& among) {
  std::vector<const Kernel*> chosen;
  for (const Kernel& kernel : among) {
    if (kernel.chapter->name == name) chosen.push_back(&kernel);
  }
  return chosen;
}

const Kernel* step_before(const Kernel& kernel, const std::vector<Kernel>& among) {
  const Kernel* before = nullptr;
  for (const Kernel& other : among) {
    if (other.chapter == kernel.chapter && other.number < kernel.number) before = &other;
  }
  if (before != nullptr || kernel.chapter->after.empty()) return before;
  const std::vector<const Kernel*> earlier = of_chapter(kernel.chapter->after, among);
  return earlier.empty() ? nullptr : earlier.back();
}

const Kernel* find_kernel(const std::string& name, const std::vector<Kernel>& among) {
  const auto found = std::find_if(among.begin(), among.end(), [&](const Kernel& k) { return k.name == name; });
  return found == among.end() ? nullptr : &*found;
}

std::vector<std::string> configs_of(const Kernel& kernel) {
  std::vector<std::string> names;
  for (const Variant& variant : kernel.emulator()) {
    const std::string& name = variant.tile.config;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace flash_steps
