// Tries a mutant on the emulator: does anybody notice?
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "mutants/mutant.h"

namespace flash_steps::mutants {

enum class Verdict {
  hazard,        ///< killed: the emulator reports one
  wrong_result,  ///< killed: the output is not attention's, and there is no hazard
  survived,      ///< right in all configs and problems
  failed,        ///< no verdict: it crashed, or did not end in time
};

const char* name_of(Verdict verdict);

struct Trial {
  Verdict verdict = Verdict::failed;
  bool right_result = false;  ///< with a hazard: whether the output was right all the same
  std::string config;         ///< that killed it; empty if none did
  std::string problem;        ///< that killed it, as in "batch 1, heads 1, seqlen 128, fp16, normal"
  std::string report;         ///< the sentence by which it was noticed; or what went wrong
};

/// Tries one mutant of a library that build_library made, until it is killed, in a process of its own (the program
/// try_mutant), which is ended after some minutes.
Trial try_apart(const std::filesystem::path& library, const std::string& registered_name);

nlohmann::json to_json(const Trial& trial);

}  // namespace flash_steps::mutants
