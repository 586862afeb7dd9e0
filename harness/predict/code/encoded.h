// Machine code with its control information: what nvdisasm prints of a binary, read, and kept as a text of our own.
//
// An instruction of sm_80 to sm_90 has 128 bits. Bits 105 to 125 are for the scheduler: what the compiler knows of
// latencies, the hardware does not find out by itself. NVIDIA does not document them; the meaning given here is that of
// the public work on it (Jia et al., arXiv 1804.06826; Huerta et al., arXiv 2503.20481).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flash_steps {

/// The scheduler's bits of an instruction.
struct Control {
  int stall = 0;           ///< cycles until the warp may issue its next instruction
  bool yield = false;      ///< prefer another warp then
  int write_barrier = -1;  ///< of the six, which is released when the result is there; −1: none
  int read_barrier = -1;   ///< when the operands have been read
  int wait = 0;            ///< a mask of the barriers that must be free before this issues
  int reuse = 0;           ///< a mask of the operands that stay beside the pipe for the next instruction
};

/// `bits`: 105 to 125 of the instruction.
Control control_of(uint32_t bits);

struct EncodedInstruction {
  std::string text;      ///< as the disassembler has it; the place that a branch goes to is "@" and its index
  uint32_t control = 0;  ///< bits 105 to 125
  int line = 0;          ///< of the kernel's file; 0: unknown
};

struct EncodedFunction {
  std::string symbol;
  std::vector<EncodedInstruction> instructions;
};

/// From what `nvdisasm -hex -gi -c` prints of a cubin. Of code that was inlined counts the innermost line that lies in
/// the file `source` (its last part is compared), for that is the line which names the word.
std::vector<EncodedFunction> parse_encoded(const std::string& listing, const std::string& source);

/// One line an instruction: the control in hexadecimal digits, the source line, the text.
std::string text_of(const std::vector<EncodedInstruction>& instructions);

/// The opposite. Throws std::invalid_argument, with a sentence that names the line.
std::vector<EncodedInstruction> instructions_of(const std::string& text);

}  // namespace flash_steps
