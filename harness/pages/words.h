// The blocks within a line, a few words of a sentence each. On the page of a step, of fp16 unless bf16 stands behind:
//
//     <!-- verdict 4096 -->          the step at this length: "1.3 points faster than", "level with" the one before
//     <!-- pays 4096 -->             "pays", "neither pays nor costs", "costs time"
//     <!-- times 4096 -->            "5.5 times as fast" as the one before
//     <!-- prediction faster 512 --> "held" if it is so at all these lengths, "failed" if not; also level, slower
//     <!-- published RTX 3090 -->    "49.5 → 98.3 %", of the step before and the step
//     <!-- change -->                "33 lines go, 30 come", of the diff to the step before
//
// and on any page:
//
//     <!-- percent 09 4096 -->       "108.3 %": of FlashAttention-2 on the H100; a config may stand behind
//     <!-- tflops fa2 4096 -->       "345 TFLOP/s", of a step or a baseline
//     <!-- highest-bound 09 -->      "188 %": the highest bound of its configs, of FlashAttention-2
//     <!-- of-bound 09 -->           "58 %": how much of that it reaches at seqlen 4096
//     <!-- fa2-of-peak -->           "53 %": what FlashAttention-2 reaches of mma.sync's peak at the clock of the run
//     <!-- clock -->                 "1805 MHz": the mean SM clock at seqlen 4096
//     <!-- ceiling -->               "654 TFLOP/s": what mma.sync alone reached on the H100, or on the GPU named behind
//     <!-- noise 4096 -->            "0.5 points": see tables/steps.h
//     <!-- launches -->              "3 minutes": what the launches of the sweep add up to, or of all files
//     <!-- figure mutants -->        see tables/evidence.h
#pragma once

#include <filesystem>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/pages/page.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

/// They refer to the arguments, which must outlive them.
std::vector<PageBlock> blocks_within_lines(const std::filesystem::path& page, const Published& published,
                                           const std::vector<ResultsFile>& files);

/// The sweep of the chapter's h100.json, or for bf16 of h100_bf16.json. Throws std::runtime_error with a sentence if
/// there is none.
Sweep h100_sweep(Dtype dtype, const Published& published, const std::vector<ResultsFile>& files,
                 const Chapter& of = chapter(sixteen));

/// The step whose page it is. Throws UsageError that names the block if it is no step's.
const Kernel& step_of(const std::string& block, const std::filesystem::path& page);

}  // namespace flash_steps
