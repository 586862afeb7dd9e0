// The tables of docs/method/memory.md: what the emulator counts between global memory and the SMs, beside the formulas,
// and the peak memory of runs on a GPU.
//
// A head of N queries and N keys of d dimensions in b bytes each, in elements of global memory:
//
//     standard attention:     4·N² + 4·N·d   (S written and read, P written and read; Q, K, V read, O written)
//     tiles of B_r query rows: 2·N·d·(1 + N/B_r)   (Q read and O written once; K and V read once a tile)
//
// The first is the count of Dao et al., FlashAttention (2022), section 3.2, with its constants; the second is that of
// FlashAttention-2's order of loops, with one CTA a tile of query rows.
#pragma once

#include <cstdint>
#include <string>

#include "harness/results/results.h"

namespace flash_steps {

/// Bytes that the SMs read from and write to global memory (L2 or DRAM) for all heads of the problem.
uint64_t standard_traffic_bytes(const Problem& problem);
uint64_t tiled_read_bytes(const Problem& problem, int tile_rows);
uint64_t tiled_written_bytes(const Problem& problem);

/// What the emulator counted of a run: sectors × 32.
uint64_t counted_read_bytes(const Counters& counters);
uint64_t counted_written_bytes(const Counters& counters);

/// A row for each run with counters, by kernel and length, all in Markdown.
std::string render_traffic(const Results& results);

/// A row for each length: peak memory of the first kernel that was run at it and of each baseline, "out of memory"
/// where that is why a baseline could not run.
std::string render_memory(const Results& results);

}  // namespace flash_steps
