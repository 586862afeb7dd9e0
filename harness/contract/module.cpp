#include "harness/contract/module.h"

#include <dlfcn.h>

#include <algorithm>
#include <mutex>

#include "harness/base/error.h"
#include "harness/base/folders.h"
#include "harness/base/process.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

// Registrations run when a library is loaded, or before main: the list must exist at the first of them.
std::vector<Registered>& registered() {
  static std::vector<Registered> list;
  return list;
}

// A build folder may lie in another one (build/sanitize in build), whose kernels are not this program's.
bool is_build_folder(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "CMakeCache.txt", error);
}

std::vector<fs::path> folders() {
  std::vector<fs::path> list;
  fs::path folder = executable().parent_path();
  for (int level = 0; level < 3 && folder.has_relative_path(); level++, folder = folder.parent_path()) {
    list.push_back(folder);
    if (is_build_folder(folder)) break;
  }
  list.push_back(build_folder());
  return list;
}

// The command that builds a kernel. Without a GPU ./runner builds nothing for one.
std::string builder(const std::string& kernel, Target target) {
  if (target == Target::emulator) return "./runner --kernel=" + kernel;
#ifdef FLASH_STEPS_CUDA
  return "scripts/build.sh kernel_" + kernel + "_gpu";
#else
  return "scripts/build.sh all, where there is nvcc,";
#endif
}

}  // namespace

fs::path module_file(const std::string& kernel, Target target) {
  const fs::path name = fs::path("kernels") / (target == Target::gpu ? "gpu" : "") / (kernel + ".so");
  for (const fs::path& folder : folders()) {
    std::error_code error;
    if (fs::exists(folder / name, error)) return folder / name;
  }
  return build_folder() / name;
}

Registered load_module(const std::string& kernel, Target target) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const fs::path file = module_file(kernel, target);
  const std::string what = kernel + (target == Target::gpu ? " for the GPU" : "");
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw MachineError(what + " is not built: there is no " + file.string() + "; " + builder(kernel, target) +
                       " builds it");
  }
  if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    throw MachineError(what + " cannot be loaded: " + dlerror() + "; ./runner --kernel=" + kernel + " builds it anew");
  }
  const std::vector<Registered>& list = registered();
  const auto found = std::find_if(list.rbegin(), list.rend(),
                                  [&](const Registered& r) { return r.name == kernel && r.target == target; });
  if (found == list.rend()) {
    throw MachineError(file.string() + " registers no kernel " + kernel + "; kernels/" + kernel +
                       ".cu has to have a Registration");
  }
  return *found;
}

const std::vector<Registered>& registrations() { return registered(); }

Registration::Registration(const char* file, const char* summary, std::vector<Variant> variants, Target target) {
  const std::string name = fs::path(file).stem().string();
  for (Variant& variant : variants) variant.kernel = name;
  registered().push_back({name, summary, target, std::move(variants)});
}

}  // namespace flash_steps
