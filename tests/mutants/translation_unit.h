// Several mutants in one source file: reading the headers takes longer than compiling a mutant.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mutants/mutant.h"

namespace flash_steps::mutants {

/// A kernel's number has two digits.
constexpr int most_mutants = 100;

/// The name under which a mutant of a translation unit is registered: "17_03_eager_loads~barrier-removed@113", with a
/// number of its own, since no two kernels may have the same. Throws std::invalid_argument beyond most_mutants.
std::string registered_name(int number, const Mutant& mutant);

/// The kernel in a registered name.
std::string kernel_of(const std::string& registered_name);

/// The mistake and the line in a registered name; an empty one and 0 for a kernel as it is.
std::pair<std::string, int> mistake_of(const std::string& registered_name);

/// The mutants, numbered from `first_number`, each in a namespace of its own and with the lines of its kernel's file.
std::string translation_unit(const std::vector<Mutant>& mutants, int first_number = 0);

}  // namespace flash_steps::mutants
