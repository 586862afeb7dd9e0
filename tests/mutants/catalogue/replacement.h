// A mistake that puts one piece of text in place of another.
#pragma once

#include <span>

namespace flash_steps::mutants {

inline constexpr int last_primer_kernel = 12;
inline constexpr int last_ampere_kernel = 18;
inline constexpr int last_hopper_kernel = 27;
inline constexpr int last_variant = 7;  // of the chapter of variants that is a forward pass
inline constexpr int first_backward_variant = 8, last_backward_variant = 11;  // of the same

/// `from` must be in each kernel from `first` to `last`, and in no other of its kind; each place where it is makes a
/// mutant.
struct Replacement {
  const char* mistake;
  const char* from;
  const char* to;
  int first = 1;
  int last = last_ampere_kernel;
  bool in_some = false;  ///< not in each of them
};

/// Of the primer's kernels.
std::span<const Replacement> primer_replacements();

/// Of the kernels behind the last one with Ampere's instructions, which have no others.
std::span<const Replacement> hopper_replacements();

/// Of the chapter of variants, likewise.
std::span<const Replacement> variants_replacements();

/// Of those in it that compute a backward pass.
std::span<const Replacement> backward_replacements();

}  // namespace flash_steps::mutants
