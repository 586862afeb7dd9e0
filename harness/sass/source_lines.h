// Machine code beside the source that it was made from: what nvdisasm prints of a binary's line table, read.
#pragma once

#include <string>
#include <vector>

namespace flash_steps {

/// An instruction and the lines of the kernel's own file that it came from: from the line of the kernel inwards to that
/// of the function that was inlined last. Empty for code of no line of that file.
struct PlacedInstruction {
  std::vector<int> lines;
  std::string text;  ///< "LDSM.16.M88.4 R4, [R12]"; a branch names its target's address: "BRA 0x1230"

  bool operator==(const PlacedInstruction&) const = default;
};

/// Of one function (a mangled symbol) in what `nvdisasm --print-line-info-inline` prints of a cubin; empty if it is not
/// there. `file` is the name of the kernel's file: "01_base.cu". An instruction takes 16 bytes.
std::vector<PlacedInstruction> parse_placed(const std::string& listing, const std::string& symbol,
                                            const std::string& file);

}  // namespace flash_steps
