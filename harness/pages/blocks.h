// --update: the tables that stand in the README and on the pages, between markers that are lines of their own:
//
//     <!-- table -->        the table, of all the files
//     <!-- overview -->     the short one: each step's idea, the published figures and those of h100.json
//     <!-- navigation -->   on the page of a step: links to its neighbours
//     <!-- h100 -->         on the page of a step: the step before and the step, of h100.json, fp16
//     <!-- h100-ladder -->  all steps, of h100.json, fp16
//     <!-- h100-cudnn -->   all steps at each length, in percent of cuDNN
//     <!-- h100-gains -->   what each adds to the one before, at each length
//     <!-- h100-published -->  the published kernels on an H100 beside them
//     <!-- machine-code HMMA total -->
//                           on the page of a step: the step before and the step, these columns of
//                           docs/results/machine_code.json (machine_code_page.h)
//     <!-- run emulator.json 01_base -->
//                           what the runner printed of a kernel's run in a file of docs/results
//     <!-- machine-code-configs registers spill -->
//                           all configs of the page's step
//     <!-- bounds -->       the table, of all the files, with the columns of the bounds
//     <!-- bound -->        what --explain prints of the first step's bound
//     <!-- pipes -->        the cycles of each pipe, of each step
//     <!-- rates -->        the rates that the bounds are made with
//     <!-- predictions -->, <!-- prediction-errors -->, <!-- prediction-ranks -->, <!-- prediction-ablations -->,
//     <!-- prediction-figures -->, <!-- prediction-variants -->, <!-- prediction-variants-errors -->
//                           times predicted for GPUs, of docs/results/predictions*.json, and what the model is made of
//     <!-- traffic -->      what the steps move, of docs/results/traffic.json
//     <!-- memory -->       what they hold, of docs/results/h100_memory.json
//     <!-- votes -->        how often a kernel rescales, of docs/results/beyond/votes.json
//     <!-- against-standard -->
//                           the two graphs of the first release, of docs/results/variants/against_standard
//     <!-- errors -->       their errors beside FlashAttention-2's, of docs/results/h100_errors.json
//
//     <!-- counters -->     one kernel's counters on both machines, of docs/results/h100_counters.json
//     <!-- mutants -->      what became of them, by mistake, of docs/results/mutants.json
//     <!-- mutants-by-kernel -->
//     <!-- gpu-mutants -->  the same kernels on a GPU, of docs/results/gpu_mutants.json
//     <!-- mutants-on-both -->  what the emulator, ptxas and a GPU show of a chapter's mutants
//
// each up to the same with a slash, as in <!-- /table -->. Those within a line are in words.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/results/sweeps.h"

namespace flash_steps {

/// docs/results/h100_errors.json
std::filesystem::path errors_file();

/// The files that `target` stands for: itself or, if it is a folder, the pages in it and below it that have a block.
/// Throws UsageError.
std::vector<std::filesystem::path> pages_to_update(const std::filesystem::path& target);

/// `text` with what lies between its markers made anew. `page` names the step, and messages. Throws UsageError where
/// markers or h100.json are missing, or a marker asks for what is not there.
std::string updated_page(const std::string& text, const std::filesystem::path& page, const Published& published,
                         const std::vector<ResultsFile>& files);

/// Whether the markers of a page are right: throws UsageError as updated_page() does, but makes nothing.
void check_blocks(const std::string& text, const std::filesystem::path& page);

/// Rewrites the pages that are not as they should be, none if one of them cannot be, and returns a line for each.
/// Throws UsageError.
std::vector<std::string> update_pages(const std::vector<std::filesystem::path>& pages, const Published& published,
                                      const std::vector<ResultsFile>& files);

}  // namespace flash_steps
