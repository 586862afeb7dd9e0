// Compiles mutants for a GPU, each by itself: ptxas may refuse one, and its messages say of which they are.
#pragma once

#include <filesystem>
#include <vector>

#include "harness/contract/registry.h"
#include "mutants/mutant.h"
#include "mutants/on_gpu/gpu_list.h"

namespace flash_steps::mutants {

/// Makes a shared library of each mutant, all of one kernel, in a folder that exists, as the build compiles the kernel
/// for the GPU; what was made there of the same text by the same command is kept. Each runs in the config that was its
/// undoing on the emulator, as mutants.json of the kernel's chapter has it, and otherwise in the kernel's default one.
/// Throws CatalogueError if that file has another kernel in view, or if a mutant does not compile for another reason
/// than that ptxas refuses it.
std::vector<BuiltMutant> build_for_gpu(const Kernel& kernel, const std::vector<Mutant>& mutants,
                                       const std::filesystem::path& folder);

}  // namespace flash_steps::mutants
