#include "harness/console/predict.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <stdexcept>

#include "harness/base/terminal.h"
#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/predict/other_problems.h"

namespace flash_steps {
namespace {

std::string percent_text(std::optional<double> percent) { return percent ? fixed(*percent, 1) : "—"; }

std::string share_text(double share) { return fixed(100 * share, 0) + " %"; }

// "tensor pipe 34 %, operand ports 30 %": what makes up a twentieth or more, the most first.
std::string stalls_text(const Prediction& prediction) {
  std::vector<std::pair<double, std::string>> parts;
  for (const Stall stall : all_stalls) {
    const double share = prediction.stalls[static_cast<int>(stall)];
    if (share >= 0.05) parts.emplace_back(share, name_of(stall));
  }
  std::sort(parts.rbegin(), parts.rend());
  std::vector<std::string> texts;
  for (const auto& [share, name] : parts) texts.push_back(name + " " + share_text(share));
  return join(texts);
}

std::string pipes_text(const Prediction& prediction) {
  std::vector<std::string> texts;
  for (const auto& [pipe, busy] : prediction.busy) {
    texts.push_back(std::string(name_of(pipe)) + " " + share_text(busy));
  }
  return join(texts);
}

std::string sentence_of(const std::vector<Compared>& rows, const std::string& kind) {
  if (rows.empty()) return "It was never compared with this GPU.";
  const Errors errors = errors_of(rows);
  return "Against " + std::to_string(errors.rows) + " " + kind + " figures of this GPU predictions are off by " +
         fixed(errors.mean, 1) + " points in the mean, " + fixed(errors.most, 1) + " at most.";
}

std::string uncertainty_of(const Card& card, const Predictions& predictions, const Evidence& evidence) {
  const std::vector<Compared> rows = against_published(card, predictions, evidence.published);
  return rows.empty() ? sentence_of(against_runs(card, predictions, evidence.sweeps), "measured")
                      : sentence_of(rows, "published");
}

std::string line_of(const Prediction& p, const PredictedRun& stored) {
  return pad_right(p.kernel, 21) + pad_right(p.config, 22) + pad_left(std::to_string(p.problem.seqlen), 6) +
         pad_left(std::to_string(p.ctas_per_sm), 6) +
         pad_left(grouped(static_cast<uint64_t>(std::llround(p.cycles_of_tile))), 9) + pad_left(fixed(p.tflops, 1), 9) +
         pad_left(percent_text(stored.percent), 8) + "  " + name_of(p.busiest());
}

void print_card(std::ostream& out, const Card& card, const std::vector<const Prediction*>& predictions,
                const std::vector<const PredictedRun*>& stored, const std::string& uncertainty) {
  out << "Predicted for the " << card.gpu << " at " << fixed(predictions.front()->sm_clock_mhz, 0) << " MHz\n"
      << pad_right("kernel", 21) << pad_right("config", 22) << pad_left("seqlen", 6) << pad_left("CTAs", 6)
      << pad_left("cycles", 9) << pad_left("TFLOP/s", 9) << pad_left("% FA2", 8) << "  busiest pipe\n";
  for (size_t i = 0; i < predictions.size(); i++) {
    std::string line = line_of(*predictions[i], *stored[i]);
    if (!stored[i]->without.empty()) line += ", without " + stored[i]->without;
    out << line << "\n";
  }
  if (predictions.size() == 1) {
    out << wrapped("Pipes: " + pipes_text(*predictions.front()), page_width(), 2) << "\n"
        << wrapped("Cycles of the warps: " + stalls_text(*predictions.front()), page_width(), 2) << "\n";
  }
  out << wrapped("CTAs: on an SM at a time. Cycles: of an SM, for one tile of keys of a CTA. " + uncertainty,
                 page_width())
      << "\n\n";
}

}  // namespace

Uncertainties uncertainties_of(const std::vector<const Card*>& cards, const Evidence& evidence, const Chapter& of) {
  Uncertainties sentences;
  try {
    const Predictions others = of.name == sixteen ? Predictions{} : read_stored_predictions(of);
    if (!others.runs.empty()) {
      const std::vector<ResultsFile> timed = timed_files(of);
      for (const Card* card : cards) {
        sentences[card] = sentence_of(figures_of(against_timed(*card, others, timed)), "measured");
      }
      return sentences;
    }
    const Predictions predictions = read_stored_predictions();
    for (const Card* card : cards) sentences[card] = uncertainty_of(*card, predictions, evidence);
  } catch (const std::runtime_error&) {
    for (const Card* card : cards) {
      sentences[card] = "How far off predictions are is not known here: docs/results has no predictions.json to tell.";
    }
  }
  return sentences;
}

void print_predictions(std::ostream& out, const std::vector<Prediction>& predictions, const Predictions& stored,
                       const Uncertainties& uncertainties) {
  std::vector<const Card*> cards;
  for (const Prediction& prediction : predictions) {
    if (std::find(cards.begin(), cards.end(), prediction.card) == cards.end()) cards.push_back(prediction.card);
  }
  for (const Card* card : cards) {
    std::vector<size_t> of_card;
    for (size_t i = 0; i < predictions.size(); i++) {
      if (predictions[i].card == card) of_card.push_back(i);
    }
    // Of one kernel at one length the fastest config first: what autotuning would find.
    std::stable_sort(of_card.begin(), of_card.end(), [&](size_t a, size_t b) {
      const Prediction &x = predictions[a], &y = predictions[b];
      if (x.problem.seqlen != y.problem.seqlen || x.kernel != y.kernel) {
        return std::pair(x.problem.seqlen, x.kernel) < std::pair(y.problem.seqlen, y.kernel);
      }
      return x.tflops > y.tflops;
    });
    std::vector<const Prediction*> shown;
    std::vector<const PredictedRun*> shown_stored;
    for (const size_t i : of_card) {
      shown.push_back(&predictions[i]);
      shown_stored.push_back(&stored.runs[i]);
    }
    print_card(out, *card, shown, shown_stored, uncertainties.at(card));
  }
}

void print_predicted_lines(std::ostream& out, const Kernel& kernel, const Predictor& predictor, const Variant& variant,
                           const Card& card, const Uncertainties& uncertainties) {
  constexpr int tiles = 16;
  const Predictor::Prepared prepared = predictor.prepare(variant.kernel, variant.tile, card);
  const SmRun run =
      run_sm(timings_of(card.rates()), prepared.cta.schedule(tiles), prepared.resident, prepared.resident);
  std::map<int, StallCycles> by_line;
  double all = 0;
  for (size_t i = 0; i < run.by_index.size(); i++) {
    StallCycles& line = by_line[prepared.cta.program().code[i].line];
    for (int k = 0; k < stall_kinds; k++) {
      line[k] += run.by_index[i][k];
      all += static_cast<double>(run.by_index[i][k]);
    }
  }
  const auto file = find_source(kernel);
  const std::vector<std::string> source = file ? read_lines(*file) : std::vector<std::string>{};
  out << kernel.name << "  " << variant.tile.config << "  predicted for the " << card.gpu << ", " << tiles
      << " tiles\n\nline   cycles of warps, and what they wait for\n";
  for (const auto& [number, cycles] : by_line) {
    double sum = 0;
    for (const int64_t count : cycles) sum += static_cast<double>(count);
    if (sum < all / 1000) continue;
    out << pad_left(std::to_string(number), 4);
    if (number >= 1 && number <= static_cast<int>(source.size())) {
      out << "  " << shortened(source[number - 1], page_width() - 6);
    }
    Prediction shares;
    for (int k = 0; k < stall_kinds; k++) shares.stalls[k] = static_cast<double>(cycles[k]) / sum;
    out << "\n      " << pad_left(fixed(100 * sum / all, 1), 5) << " %  " << stalls_text(shares) << "\n";
  }
  out << "\n" << wrapped(uncertainties.at(&card), page_width()) << "\n\n";
}

}  // namespace flash_steps
