// The machine code of the kernels, kept in a file with its control information, so that times can be predicted where
// there is neither a compiler nor a disassembler: sass.json of the chapters that have one.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "harness/contract/chapter.h"
#include "harness/contract/kernel.h"
#include "harness/predict/code/encoded.h"
#include "harness/results/results.h"
#include "harness/sass/built.h"

namespace flash_steps {

/// One function of one variant for one architecture.
struct StoredFunction {
  std::string kernel;
  TileShape tile;
  std::string arch;
  std::string code;  ///< see code_hash() in results/freshness.h
  int registers = 0;
  std::string compressed;  ///< the text of its instructions

  /// Throws std::runtime_error if the text is not whole.
  std::vector<EncodedInstruction> instructions() const;
};

struct StoredSass {
  std::filesystem::path file;  ///< that it is from, or the folder of several
  /// By kernel, config and architecture; in fp16. Of a kernel with several functions the one with the most products.
  std::map<std::tuple<std::string, std::string, std::string>, StoredFunction> functions;

  /// nullptr if there is none.
  const StoredFunction* find(const std::string& kernel, const std::string& config, const std::string& arch) const;
  std::vector<std::string> archs() const;
};

/// docs/results/sass.json, or in the folder of the chapter there.
std::filesystem::path stored_code_file(const Chapter& of = chapter(sixteen));

/// As if they had been read from a file of that name.
StoredSass stored_code_of(const std::vector<StoredFunction>& functions, const std::filesystem::path& file);

/// Throws std::runtime_error that names the file and the field.
StoredSass read_stored_code(const std::filesystem::path& file);

/// Of all chapters that have one; the sixteen must.
StoredSass read_stored_code();

/// The rows' functions, disassembled anew with their control information. Throws MachineError.
std::vector<StoredFunction> read_encoded(const std::vector<MachineCodeRow>& rows);

/// As write_file() does.
void write_stored_code(const std::vector<StoredFunction>& functions, const Meta& meta,
                       const std::filesystem::path& file);

}  // namespace flash_steps
