#include "harness/site/instruments/bank_map.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <span>

#include "harness/base/json.h"
#include "harness/emulator/memory/counting.h"
#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

constexpr int chunk_bytes = 16;

// Which row and chunk of a tile a lane points at, and how many bytes into the chunk.
struct Place {
  int row;
  int chunk;
  int byte = 0;
};

struct BankWord {
  const char* name;
  int width;
  int chunks;  ///< that a row has to have
  Place (*place)(int lane);
};

// As the kernels' lanes point.
constexpr BankWord bank_words[] = {
    {"ldmatrix_x4", 16, 2,
     [](int lane) {
       return Place{lane % 16, lane / 16};
     }},
    {"ldmatrix_x4, right first", 16, 2,
     [](int lane) {
       return Place{lane / 16 * 8 + lane % 8, lane / 8 % 2};
     }},
    {"cp_async_16", 16, 16,
     [](int lane) {
       return Place{lane / 16, lane % 16};
     }},
    {"st_shared_4", 4, 1,
     [](int lane) {
       return Place{lane / 4, 0, lane % 4 * 4};
     }},
};

struct Swizzle {
  const char* name;
  int chunks;  ///< among which chunks change places
  int (*place)(int row, int chunk);
};

constexpr Swizzle swizzles[] = {
    {"none", 1, [](int, int chunk) { return chunk; }},
    {"chunk ^ row / 2 % 4", 4, [](int row, int chunk) { return chunk ^ row / 2 % 4; }},
    {"chunk ^ row % 4", 4, [](int row, int chunk) { return chunk ^ row % 4; }},
    {"chunk ^ row % 8", 8, [](int row, int chunk) { return chunk ^ row % 8; }},
};

// Rows of 64 to 256 bytes, plain and with a chunk left empty behind each.
constexpr int row_sizes[] = {64, 80, 128, 144, 256, 272};

BankCase bank_case(const BankWord& word, int row_bytes, const Swizzle& swizzle) {
  BankCase made{word.name, row_bytes, swizzle.name, word.width, {}, {}, 0, emulator::phases(word.width)};
  for (int lane = 0; lane < 32; lane++) {
    const Place place = word.place(lane);
    made.addresses[lane] =
        static_cast<uint32_t>(place.row * row_bytes + swizzle.place(place.row, place.chunk) * chunk_bytes + place.byte);
  }
  made.wavefronts = emulator::wavefronts(made.addresses, word.width);
  const int lanes = 32 / made.ideal;
  for (int phase = 0; phase < made.ideal; phase++) {
    const std::span<const uint32_t> some(made.addresses.data() + phase * lanes, lanes);
    made.phases.push_back(emulator::wavefronts(some, word.width));
  }
  return made;
}

std::string table_row(const BankCase& one) {
  std::string phases;
  for (const int wavefronts : one.phases) phases += (phases.empty() ? "" : " + ") + std::to_string(wavefronts);
  return "<tr><th scope=\"row\"><code>" + escaped(one.word) + "</code></th><td class=\"right\">" +
         std::to_string(one.row_bytes) + "</td><td><code>" + escaped(one.swizzle) + "</code></td><td>" + phases +
         "</td><td class=\"right\">" + std::to_string(one.wavefronts) + "</td><td class=\"right\">" +
         std::to_string(one.ideal) + "</td></tr>\n";
}

}  // namespace

std::vector<BankCase> bank_cases() {
  std::vector<BankCase> cases;
  for (const BankWord& word : bank_words) {
    for (const int row_bytes : row_sizes) {
      for (const Swizzle& swizzle : swizzles) {
        // A padded row is what one takes instead of a swizzle.
        const bool is_padded = row_bytes % 64 != 0;
        const int chunks = row_bytes / chunk_bytes;
        if (word.chunks > chunks || swizzle.chunks > chunks || (is_padded && swizzle.chunks > 1)) continue;
        cases.push_back(bank_case(word, row_bytes, swizzle));
      }
    }
  }
  return cases;
}

Framed bank_map_page() {
  const std::vector<BankCase> cases = bank_cases();
  Json json = Json::array();
  std::string rows;
  for (const BankCase& one : cases) {
    json.push_back({{"word", one.word},
                    {"row", one.row_bytes},
                    {"swizzle", one.swizzle},
                    {"width", one.width},
                    {"addresses", one.addresses},
                    {"phases", one.phases},
                    {"wavefronts", one.wavefronts},
                    {"ideal", one.ideal}});
    rows += table_row(one);
  }
  Framed page;
  page.file = "instruments/bank_map.html";
  page.title = "Bank map";
  page.kind = "instrument";
  page.scripts = {"instrument.js", "bank_map.js"};
  page.in_contents = false;
  page.main =
      "<article class=\"wide\">\n<h1>Bank map</h1>\n"
      "<p>Shared memory is 32 banks, each 4 bytes wide. A word of a warp is served in phases of 128 bytes, and a phase "
      "takes as many wavefronts as the most different pieces of 4 bytes that it wants of one bank. Choose a word, how "
      "far apart the rows of the tile lie, and a swizzle. The lanes point as those of the kernels do: at chunks of 16 "
      "bytes, or at four bytes each where a fragment is stored.</p>\n"
      "<form class=\"choices\" id=\"choices\"></form>\n<p id=\"answer\" aria-live=\"polite\"></p>\n"
      "<div id=\"map\" class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Banks\"></div>\n"
      "<h2 id=\"all-cases\">All cases</h2>\n<p>Counted by the emulator’s own function, whose counts were the "
      "hardware’s wherever they were compared.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
      "aria-label=\"All cases\"><table>\n<thead><tr><th scope=\"col\">word</th><th scope=\"col\" class=\"right\">row, "
      "bytes</th><th scope=\"col\">swizzle</th><th scope=\"col\">phases</th><th scope=\"col\" "
      "class=\"right\">wavefronts</th><th scope=\"col\" class=\"right\">ideal</th></tr></thead>\n<tbody>\n" +
      rows + "</tbody></table></div>\n</article>\n<script type=\"application/json\" id=\"data\">" +
      script_json(text_of(json, -1)) + "</script>\n";
  return page;
}

}  // namespace flash_steps
