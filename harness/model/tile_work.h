// What a CTA does for one tile of keys and values, by the emulator's counters: from launches made now, or from a file
// of launches that were made before.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/model/bound.h"
#include "harness/results/results.h"

namespace flash_steps {

/// Launches the variant twice, with a few tiles each. Needs the emulator; it is left with another problem loaded.
TileWork observe_tile_work(Machine& emulator, const Variant& variant);

/// By kernel and config.
using TileWorks = std::map<std::pair<std::string, std::string>, TileWork>;

/// Of each kernel and config with counted runs of two lengths; other runs are passed over.
TileWorks tile_works(const Results& results);

/// The files of a chapter, in docs/results or the folder of the chapter there: emulator_tiles.json, and those whose
/// name goes on behind emulator_tiles_, for heads of other sizes and other passes.
std::vector<std::filesystem::path> tile_works_files(const Chapter& chapter);

constexpr const char* tile_works_name = "emulator_tiles.json";

/// Of all chapters that have such files; the sixteen must. Throws std::runtime_error that names the file.
TileWorks read_stored_tile_works();

}  // namespace flash_steps
