#include "harness/sass/built.h"

#include <algorithm>
#include <set>

#include "harness/base/error.h"
#include "harness/base/parallel.h"
#include "harness/base/text.h"
#include "harness/contract/coverage.h"
#include "harness/contract/module.h"
#include "harness/contract/source.h"
#include "harness/results/freshness.h"
#include "harness/sass/cuobjdump.h"
#include "harness/sass/symbol.h"

namespace flash_steps {
namespace {

// A GPU that has not the instructions which the kernel needs has no code of it.
bool is_too_old(const std::string& arch, const Architecture& needs) {
  return arch < "sm_" + std::to_string(needs.major) + std::to_string(needs.minor);
}

std::vector<std::string> chosen_archs(const std::vector<DeviceFunction>& functions,
                                      const std::vector<std::string>& archs, const Architecture& needs) {
  std::set<std::string> there_are;
  for (const DeviceFunction& function : functions) there_are.insert(function.arch);
  if (archs.empty()) return {there_are.begin(), there_are.end()};
  std::vector<std::string> chosen;
  for (std::string arch : archs) {
    if (!there_are.contains(arch) && there_are.contains(arch + "a")) arch += "a";  // code for Hopper alone
    if (is_too_old(arch, needs) && archs.size() > 1) continue;
    if (!there_are.contains(arch)) {
      throw MachineError("--arch=" + arch + " is not in this build, which has " +
                         join({there_are.begin(), there_are.end()}) +
                         "; CMAKE_CUDA_ARCHITECTURES chooses what is built");
    }
    chosen.push_back(arch);
  }
  return chosen;
}

// The functions that the variant launches, as the compiler writes them: of a problem that it covers.
std::set<std::string> functions_of(const Variant& variant) {
  Problem problem;
  problem.heads = std::max(1, variant.tile.heads);
  problem.seqlen = seqlen_step(variant.tile);
  problem.head_dim = variant.coverage.head_dims.front();
  problem.pass = variant.coverage.passes.front();
  std::set<std::string> names;
  for (const Launch& launch : variant.plan(problem, {})) names.insert(launch.function);
  return names;
}

const DeviceFunction& find(const std::string& function, const std::string& arch,
                           const std::vector<DeviceFunction>& functions) {
  const auto found = std::find_if(functions.begin(), functions.end(), [&](const DeviceFunction& candidate) {
    return candidate.arch == arch && is_symbol_of(candidate.symbol, function);
  });
  if (found == functions.end()) {
    throw MachineError("no function of this build for " + arch + " is " + function +
                       "; a build by nvcc with g++ as its host compiler would have it");
  }
  return *found;
}

}  // namespace

std::vector<MachineCodeRow> read_machine_code(const Kernel& kernel, const std::vector<const Variant*>& variants,
                                              const std::vector<std::string>& archs) {
  const std::filesystem::path file = module_file(kernel.name, Target::gpu);
  const Cuobjdump cuobjdump;
  const std::vector<DeviceFunction> functions = cuobjdump.functions(file);
  std::vector<MachineCodeRow> rows;
  for (const std::string& arch : chosen_archs(functions, archs, variants.front()->needs)) {
    for (const Variant* variant : variants) {
      for (const std::string& function : functions_of(*variant)) {
        rows.push_back({&kernel, variant, function.substr(0, function.find('<')), {}});
        rows.back().code.function = find(function, arch, functions);
      }
    }
  }
  in_parallel(static_cast<int64_t>(rows.size()), 0,
              [&](int64_t i) { rows[i].code = cuobjdump.disassemble(file, rows[i].code.function); });
  return rows;
}

KernelLines built_lines(const Kernel& kernel, const Variant& variant, const std::vector<std::string>& archs) {
  const std::filesystem::path file = module_file(kernel.name, Target::gpu);
  const Cuobjdump cuobjdump;
  const std::vector<DeviceFunction> functions = cuobjdump.functions(file);
  const auto source = find_source(kernel);
  if (!source) throw MachineError("the source " + kernel.source_path().string() + " is gone; a checkout has it");
  KernelLines lines{kernel.name, variant.tile.config, code_hash(kernel), read_lines(*source), {}};
  for (const std::string& arch : chosen_archs(functions, archs, variant.needs)) {
    const std::string listing = cuobjdump.with_lines(file, arch);
    for (const std::string& name : functions_of(variant)) {
      const DeviceFunction& function = find(name, arch, functions);
      lines.functions.push_back({arch, name.substr(0, name.find('<')), function.registers,
                                 parse_placed(listing, function.symbol, kernel.name + ".cu")});
      if (lines.functions.back().instructions.empty()) {
        throw MachineError("nvdisasm prints no instructions of " + function.symbol + " for " + arch +
                           "; that of this build's CUDA Toolkit or a newer one would");
      }
    }
  }
  return lines;
}

}  // namespace flash_steps
