#include "mutants/catalogue/catalogue.h"

#include <algorithm>
#include <regex>

#include "harness/base/text.h"
#include "harness/contract/chapter.h"
#include "mutants/catalogue/replacement.h"

namespace flash_steps::mutants {
namespace {

constexpr Replacement replacements[] = {
    // Of the eight chunks that the swizzle permutes, adding reaches the right one only where no bit carries.
    {"swizzle-one-side", "from_smem ^ dim_frag", "from_smem + dim_frag", 8},
    {"swizzle-one-side", "o_lane ^ n", "o_lane + n", 11},

    {"row-off-by-one", "(r + row) * row_stride", "(r + row + 1) * row_stride", 1, 7},
    {"row-off-by-one", "= copy_row * row_stride", "= (copy_row + 1) * row_stride", 8},
    {"row-off-by-one", "o + tile_offset + row * row_stride", "o + tile_offset + (row + 1) * row_stride"},

    {"rescale-dropped", "o_regs[r][n][half * 2] *= shrink;", ";"},
    {"rescale-dropped", "o_regs[r][n][half * 2 + 1] *= shrink;", ";"},
    {"rescale-dropped", "row_sum[r][half] *= shrink;", ";"},

    {"max-not-reduced", "max_of_quad(block_max)", "block_max", 1, 17},
    {"max-not-reduced", "max_of_quad(new_max[r][half])", "new_max[r][half]", 18},
    {"max-not-reduced", "value = fmaxf(value, shfl_xor(value, 1));", ";"},
    {"max-not-reduced", "return fmaxf(value, shfl_xor(value, 2));", "return value;"},

    {"max-of-half-the-keys", "for (int n = 1; n < col_frags * 2; n++)", "for (int n = 1; n < col_frags; n++)"},
    {"max-starts-at-0", "= -INFINITY;", "= 0;", 1, 9},
    {"max-clamped-at-0", "max_of_quad(block_max)", "fmaxf(0, max_of_quad(block_max))", 1, 17},
    {"max-clamped-at-0", "max_of_quad(new_max[r][half])", "fmaxf(0, max_of_quad(new_max[r][half]))", 18},
    {"running-max-dropped", "fmaxf(row_max[r][half], max_of_quad(block_max)", "(max_of_quad(block_max)", 1, 9},
    {"running-max-dropped", "new_max = fmaxf(row_max[r][half], new_max);", ";", 10, 16},
    {"running-max-dropped", "new_max[r][half] = fmaxf(row_max[r][half], new_max[r][half]);", ";", 17},

    {"growth-missed", "grew |= fmaf", "grew = fmaf", 17},
    {"growth-missed", "> threshold;", "> 8 * threshold + 64;", 17},
    {"growth-missed", "any_of_warp(grew)", "any_of_warp(false)", 17},
    {"growth-missed", "row_max[r][half] = new_max[r][half];", ";", 17},

    {"sum-not-reduced", "value += shfl_xor(value, 1);", ";"},
    {"sum-not-reduced", "return value + shfl_xor(value, 2);", "return value;"},

    {"scale-twice", "0.08838834764831845f", "0.08838834764831845f * 0.08838834764831845f"},
    {"scale-twice", "*= softmax_scale_log2;", "*= softmax_scale_log2 * softmax_scale_log2;", 1, 5},
    {"scale-twice", "], softmax_scale_log2,", "], softmax_scale_log2 * softmax_scale_log2,", 6},
    {"scale-twice", "(block_max) * softmax_scale_log2", "(block_max) * softmax_scale_log2 * softmax_scale_log2", 6, 16},
    {"scale-twice", "half] * softmax_scale_log2", "half] * softmax_scale_log2 * softmax_scale_log2", 17, 17},
    {"scale-twice", "half]) * softmax_scale_log2", "half]) * softmax_scale_log2 * softmax_scale_log2", 18},

    {"last-block-skipped", "kv_block < seqlen / tile_cols;", "kv_block < seqlen / tile_cols - 1;", 1, 12},
    {"last-block-skipped", "kv_block + 1 < seqlen / tile_cols", "kv_block + 2 < seqlen / tile_cols", 3, 12},
    {"last-block-skipped", "kv_block >= 0;", "kv_block > 0;", 13},
    {"last-block-skipped", "kv_block > 0)", "kv_block > 1)", 13},

    {"head-offset", "blockIdx.y * head_dim", "blockIdx.y * head_dim / 2"},
    {"batch-offset", "int64_t{blockIdx.z} * seqlen", "int64_t{blockIdx.z} * (seqlen - tile_cols)"},
    {"row-offset", "int64_t{blockIdx.x} * tile_rows", "int64_t{blockIdx.x} * (tile_rows / 2)"},
    {"offset-32-bit", "int64_t{blockIdx.z} * seqlen * row_stride",
     "int64_t{static_cast<int32_t>(int64_t{blockIdx.z} * seqlen * row_stride)}"},

    {"smem-bytes", "tile_rows + 2 * tile_cols", "tile_rows + 3 * tile_cols", 1, 6},
    {"smem-bytes", "tile_rows + 2 * tile_cols", "tile_rows + tile_cols", 1, 6},
    {"smem-bytes", "c.tile_rows + 2 * c.tile_cols", "2 * c.tile_rows + 4 * c.tile_cols", 7},
    {"smem-bytes", "c.tile_rows + 2 * c.tile_cols", "c.tile_rows + c.tile_cols", 7},

    {"p-order", "pack2<T>(p0, p1)", "pack2<T>(p1, p0)"},
    {"p-order", "c * 2 + i / 2", "c * 2 + i % 2"},
};

// A kernel's file, and the mutants made of it so far.
class File {
 public:
  File(std::string kernel, const std::string& text)
      : kernel_(std::move(kernel)),
        number_(std::stoi(kernel_.substr(kernel_.find_first_of("0123456789")))),
        lines_(split(text, '\n')) {}

  int number() const { return number_; }
  bool is_of_primer() const { return kernel_.starts_with(chapter("primer").prefix); }
  bool is_variant() const { return kernel_.starts_with(chapter("variants").prefix); }

  // Calls visit(line, code) for each line, without its comment.
  template <typename Visit>
  void for_each_line(Visit visit) const {
    for (size_t i = 0; i < lines_.size(); i++) visit(i, lines_[i].substr(0, lines_[i].find("//")));
  }

  // Puts `to` in place of `length` characters.
  void mutate(const std::string& mistake, size_t line, size_t begin, size_t length, const std::string& to) {
    std::vector<std::string> lines = lines_;
    lines[line].replace(begin, length, to);
    made_.push_back({kernel_, mistake, static_cast<int>(line) + 1, stripped(lines_[line]), stripped(lines[line]),
                     join(lines, "\n")});
  }

  void replace_all(const Replacement& replacement) {
    const std::string from = replacement.from;
    const size_t made_before = made_.size();
    for_each_line([&](size_t line, const std::string& code) {
      for (size_t at = code.find(from); at != std::string::npos; at = code.find(from, at + from.size())) {
        mutate(replacement.mistake, line, at, from.size(), replacement.to);
      }
    });
    const bool is_there = made_.size() > made_before;
    const bool must_be = replacement.first <= number_ && number_ <= replacement.last;
    if (is_there == must_be || (must_be && replacement.in_some)) return;
    throw CatalogueError("the catalogue no longer fits " + kernel_ + ".cu: \"" + from + "\", which " +
                         replacement.mistake + " replaces in the kernels " + std::to_string(replacement.first) +
                         " to " + std::to_string(replacement.last) + ", is " + (must_be ? "not " : "") +
                         "there; correct the text or the range in tests/mutants/catalogue/catalogue.cpp");
  }

  // Of one mistake; `make` makes mutants of every line that it fits.
  template <typename Make>
  void require(const std::string& mistake, Make make) {
    const size_t made_before = made_.size();
    for_each_line(make);
    if (made_.size() == made_before) {
      throw CatalogueError("the catalogue no longer fits " + kernel_ + ".cu: no line is one for " + mistake +
                           "; correct its word in tests/mutants/catalogue/catalogue.cpp");
    }
  }

  std::vector<Mutant> made() && { return std::move(made_); }

 private:
  static std::string stripped(const std::string& line) {
    const size_t begin = line.find_first_not_of(' ');
    return begin == std::string::npos ? "" : trimmed(line.substr(begin));
  }

  std::string kernel_;
  int number_;
  std::vector<std::string> lines_;
  std::vector<Mutant> made_;
};

// Calls visit(match) for each match of the expression in the code.
template <typename Visit>
void for_each_match(const std::string& code, const std::regex& expression, Visit visit) {
  for (std::sregex_iterator match(code.begin(), code.end(), expression), end; match != end; ++match) visit(*match);
}

void mutate_waits(File& file) {
  const std::regex wait(R"(\bcp_async_wait<(\d+)>\(\);)");
  file.require("wait-weakened", [&](size_t line, const std::string& code) {
    for_each_match(code, wait, [&](const std::smatch& match) {
      const std::string weaker = std::to_string(std::stoi(match[1]) + 1);
      file.mutate("wait-weakened", line, match.position(1), match.length(1), weaker);
    });
  });
}

void replace_word(File& file, const std::string& mistake, const std::regex& word, const std::string& to = ";") {
  file.require(mistake, [&](size_t line, const std::string& code) {
    for_each_match(code, word,
                   [&](const std::smatch& match) { file.mutate(mistake, line, match.position(), match.length(), to); });
  });
}

// The two arguments of a call whose opening parenthesis is at `open`.
struct Arguments {
  size_t begin, comma, end;
};

Arguments arguments_of(const std::string& code, size_t open) {
  Arguments arguments{open + 1, std::string::npos, open + 1};
  for (int depth = 1; arguments.end < code.size(); arguments.end++) {
    const char c = code[arguments.end];
    if (c == '(') depth++;
    if (c == ')' && --depth == 0) break;
    if (c == ',' && depth == 1) arguments.comma = arguments.end;
  }
  if (arguments.comma == std::string::npos || arguments.end == code.size()) {
    throw CatalogueError("a call of smem_offset() is not one of a row and a chunk on one line: \"" + trimmed(code) +
                         "\"; teach tests/mutants/catalogue/catalogue.cpp to read it");
  }
  return arguments;
}

// Calls visit(line, row, chunk) for each place in shared memory that is worked out by smem_offset(row, chunk).
template <typename Make>
void mutate_places(File& file, const std::string& mistake, Make make) {
  const std::regex use(R"(\bsmem_offset(<[\w, ]+>)?\((?!\)))");  // and not its name in a sentence
  const std::regex definition(R"(\buint32_t smem_offset\()");
  file.require(mistake, [&](size_t line, const std::string& code) {
    if (std::regex_search(code, definition)) return;
    for_each_match(code, use, [&](const std::smatch& match) {
      const Arguments at = arguments_of(code, match.position() + match.length() - 1);
      const std::string row = code.substr(at.begin, at.comma - at.begin);
      const std::string chunk = code.substr(at.comma + 2, at.end - at.comma - 2);
      file.mutate(mistake, line, at.begin, at.end - at.begin, make(row, chunk));
    });
  });
}

}  // namespace

const std::vector<std::string>& mistakes() {
  static const std::vector<std::string> names{"wait-weakened",
                                              "wait-removed",
                                              "barrier-weakened",
                                              "barrier-removed",
                                              "commit-removed",
                                              "swizzle-one-side",
                                              "row-off-by-one",
                                              "rescale-dropped",
                                              "max-not-reduced",
                                              "max-of-half-the-keys",
                                              "max-starts-at-0",
                                              "max-clamped-at-0",
                                              "running-max-dropped",
                                              "growth-missed",
                                              "sum-not-reduced",
                                              "scale-twice",
                                              "last-block-skipped",
                                              "head-offset",
                                              "batch-offset",
                                              "row-offset",
                                              "offset-32-bit",
                                              "smem-bytes",
                                              "p-order",
                                              "parity-wrong",
                                              "bytes-wrong",
                                              "arrivals-wrong",
                                              "release-removed",
                                              "fence-removed",
                                              "product-not-awaited",
                                              "store-not-awaited",
                                              "descriptor-wrong",
                                              "registers-wrong",
                                              "not-elected",
                                              "box-wrong",
                                              "product-incomplete",
                                              "state-forgotten",
                                              "workspace-shared",
                                              "division-dropped",
                                              "row-beyond-the-end",
                                              "mask-off-by-one",
                                              "mask-in-other-block",
                                              "mask-aligned-top-left",
                                              "guard-dropped",
                                              "scale-of-128",
                                              "panels-of-other-width",
                                              "group-of-the-next-head",
                                              "neighbours-length",
                                              "logarithm-wrong",
                                              "dropout-wrong",

                                              "row-term-wrong",
                                              "p-for-ds",
                                              "sum-not-cleared",
                                              "sum-stored",
                                              "sum-incomplete",
                                              "lanes-at-one-address"};
  return names;
}

namespace {

std::string in_the_next_row(const std::string& row, const std::string& chunk) { return row + " + 1, " + chunk; }

// Those of kernels with Ampere's instructions.
void make_ampere_mutants(File& file, std::span<const Replacement> list) {
  mutate_waits(file);
  replace_word(file, "wait-removed", std::regex(R"(\bcp_async_wait<\d+>\(\);)"));
  replace_word(file, "barrier-weakened", std::regex(R"(\bbarrier\(\);)"), "warp_barrier();");
  replace_word(file, "barrier-removed", std::regex(R"(\b(warp_)?barrier\(\);)"));
  replace_word(file, "commit-removed", std::regex(R"(\bcp_async_commit\(\);)"));
  // The swizzle is an XOR, and once more undoes it. 01 has none: there it is put on one side.
  mutate_places(file, "swizzle-one-side", [](const std::string& row, const std::string& chunk) {
    return row + ", (" + chunk + ") ^ (" + row + ") % 8";
  });
  mutate_places(file, "row-off-by-one", in_the_next_row);
  for (const Replacement& replacement : list) file.replace_all(replacement);
}

constexpr int first_with_shared_memory = 3;

void make_primer_mutants(File& file) {
  if (file.number() >= first_with_shared_memory) {
    replace_word(file, "barrier-weakened", std::regex(R"(\bbarrier\(\);)"), "warp_barrier();");
    replace_word(file, "barrier-removed", std::regex(R"(\b(warp_)?barrier\(\);)"));
    mutate_places(file, "row-off-by-one", in_the_next_row);
  }
  for (const Replacement& replacement : primer_replacements()) file.replace_all(replacement);
}

}  // namespace

std::vector<Mutant> mutants_of(const std::string& kernel, const std::string& text) {
  File file(kernel, text);
  if (file.is_of_primer()) {
    make_primer_mutants(file);
  } else if (file.is_variant()) {
    const bool is_backward = file.number() >= first_backward_variant;
    make_ampere_mutants(file, is_backward ? backward_replacements() : variants_replacements());
  } else if (file.number() <= last_ampere_kernel) {
    make_ampere_mutants(file, replacements);
  } else {
    for (const Replacement& replacement : hopper_replacements()) file.replace_all(replacement);
  }

  std::vector<Mutant> made = std::move(file).made();
  const auto order = [](const Mutant& mutant) {
    return std::find(mistakes().begin(), mistakes().end(), mutant.mistake) - mistakes().begin();
  };
  std::stable_sort(made.begin(), made.end(), [&](const Mutant& a, const Mutant& b) {
    return std::pair(order(a), a.line) < std::pair(order(b), b.line);
  });
  return made;
}

Mutant control_of(const std::string& kernel, const std::string& text) { return {kernel, "", 0, "", "", text}; }

}  // namespace flash_steps::mutants
