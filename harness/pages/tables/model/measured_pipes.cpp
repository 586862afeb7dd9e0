#include "harness/pages/tables/model/measured_pipes.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

constexpr const char* kept = "hmma_kept";
constexpr const char* fresh = "hmma_fresh";

// What ptxas made of the program's kinds: it folds constants.
struct KindOfWork {
  const char* name;
  const char* instruction;
};
constexpr KindOfWork kinds_of_work[] = {{kept, "HMMA with `.reuse`"},
                                        {fresh, "HMMA without"},
                                        {"ffma", "FFMA of one register"},
                                        {"ffma_three", "FFMA of two registers"},
                                        {"fmnmx", "FMNMX of one register"},
                                        {"lop3", "LOP3 of three registers"},
                                        {"iadd", "IADD3 of three registers"},
                                        {"imad", "IMAD of three registers"},
                                        {"mufu", "MUFU.EX2"},
                                        {"ldmatrix", "LDSM.x4"},
                                        {"ldmatrix_conflicts", "LDSM.x4, eight rows in the same banks"},
                                        {"shuffle", "SHFL"}};

std::string cycles_alone(const MeasuredPipes& measured, const std::string& kind) {
  const PairOfPipes* const row = measured.find(kind, "");
  return row == nullptr ? nothing : fixed(row->first_cycles, 2);
}

// The cycles of the pair for an HMMA, for one of the others, and what the others leave of the former if each of them
// takes what it takes alone.
std::vector<std::string> beside(const MeasuredPipes& measured, const std::string& hmma, const std::string& kind) {
  const PairOfPipes* const pair = measured.find(hmma, kind);
  const PairOfPipes* const alone = measured.find(kind, "");
  if (pair == nullptr || alone == nullptr) return {nothing, nothing, nothing};
  const double left = pair->first_cycles * (1 - alone->first_cycles / pair->second_cycles);
  return {fixed(pair->first_cycles, 2), fixed(pair->second_cycles, 2), fixed(left, 1)};
}

double largest_difference(const MeasuredPipes& a, const MeasuredPipes& b) {
  double largest = 0;
  for (const PairOfPipes& row : a.pairs) {
    const PairOfPipes* const other = b.find(row.first, row.second);
    if (other == nullptr || row.first_warps != 1) continue;
    largest = std::max({largest, std::abs(row.first_cycles - other->first_cycles),
                        std::abs(row.second_cycles - other->second_cycles)});
  }
  return largest;
}

const MeasuredPipes& first_of(const std::vector<MeasuredPipes>& measured) {
  if (measured.empty()) throw std::runtime_error("docs/results has no file of schema flash-steps/pipes/1");
  return measured.front();
}

}  // namespace

std::string render_measured_pipes(const std::vector<MeasuredPipes>& measured) {
  const MeasuredPipes& first = first_of(measured);
  std::string table = markdown_head({"instruction", "alone", "beside HMMA with `.reuse`: HMMA", "it", "left",
                                     "beside HMMA without: HMMA", "it", "left"},
                                    1);
  for (const KindOfWork& kind : kinds_of_work) {
    std::vector<std::string> row{kind.instruction, cycles_alone(first, kind.name)};
    for (const char* hmma : {kept, fresh}) {
      const std::vector<std::string> cells = beside(first, hmma, kind.name);
      row.insert(row.end(), cells.begin(), cells.end());
    }
    table += markdown_row(row);
  }
  table += "\n" + first.device + ": cycles of a sub-core for one instruction, of one warp alone, and of one beside " +
           "another that multiplies. *Left*: what remains of the HMMA's cycles if each of "
           "the others takes what it takes alone; next to nothing where they overlap.";
  for (size_t i = 1; i < measured.size(); i++) {
    table += " The figures of the " + measured[i].device + " differ by " +
             fixed(largest_difference(first, measured[i]), 2) + " cycles at most.";
  }
  return table + "\n";
}

std::string render_measured_latencies(const std::vector<MeasuredPipes>& measured) {
  std::vector<std::string> head{"cycles until the next can follow"};
  for (const MeasuredPipes& one : measured) head.push_back(one.device);
  std::string table = markdown_head(head, 1);
  for (const auto& [what, cycles] : first_of(measured).latencies) {
    std::vector<std::string> row{what};
    for (const MeasuredPipes& one : measured) row.push_back(fixed(one.latencies.at(what), 1));
    table += markdown_row(row);
  }
  std::vector<std::string> row{"from L2, bytes a cycle and SM"};
  for (const MeasuredPipes& one : measured) row.push_back(fixed(one.l2_bytes_per_cycle, 1));
  return table + markdown_row(row);
}

}  // namespace flash_steps
