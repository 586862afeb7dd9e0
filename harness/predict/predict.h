// The time of a kernel on a card that is not there, from its machine code.
#pragma once

#include <optional>
#include <string>

#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/model/tile_work.h"
#include "harness/predict/card.h"
#include "harness/predict/code/stored_code.h"
#include "harness/predict/grid.h"

namespace flash_steps {

/// What changes one mechanism of the model, to see what it is worth.
struct Ablation {
  const char* name;         ///< as in --without=ports
  const char* description;  ///< "reading operands takes no time"
  void (*apply)(SmTimings&);
};

const std::vector<Ablation>& all_ablations();

struct ClockedProblem {
  Problem problem;
  double sm_clock_mhz;
};

struct Prediction {
  std::string kernel;
  std::string config;
  const Card* card = nullptr;
  Problem problem;
  double sm_clock_mhz = 0;
  int ctas_per_sm = 0;
  double cycles_of_tile = 0;  ///< of an SM, for one tile of a CTA
  double milliseconds = 0;
  double tflops = 0;
  double baseline_tflops = 0;                ///< by the formula that needs no simulation; see baseline_cycles()
  std::map<Pipe, double> busy;               ///< share of the cycles of an SM in which the pipe worked
  std::array<double, stall_kinds> stalls{};  ///< shares of the cycles of its warps

  Pipe busiest() const;
};

/// The formula without a simulator, in cycles of an SM for a tile: the most of 1.176 times what the compiler's stall
/// counts add up to for a warp, 1.08 times the wavefronts and 1.05 times the tensor pipe's cycles. Its three factors
/// were fitted once, on the published H100 column of the sixteen, before the simulator was written.
double baseline_cycles(const Program& program, const TileWork& work, const Rates& rates);

class Predictor {
 public:
  Predictor(StoredSass code, TileWorks works);

  /// Whether prepare() finds what it needs.
  bool has(const std::string& kernel, const std::string& config, const Card& card) const;

  /// The config's code for the card's architecture, ready to be simulated. Throws MachineError where the stored code
  /// lacks it, where it has an instruction that is not known, and where no CTA fits on an SM.
  struct Prepared {
    CtaProgram cta;
    TileWork work;
    int resident;
  };
  Prepared prepare(const std::string& kernel, const TileShape& tile, const Card& card) const;

  /// Of some problems, each at its SM clock. `ablation`: nullptr for the model as it is.
  std::vector<Prediction> predict(const Variant& variant, const Card& card, const std::vector<ClockedProblem>& problems,
                                  const Ablation* ablation = nullptr) const;

  const StoredSass& code() const { return code_; }

 private:
  StoredSass code_;
  TileWorks works_;
};

/// From the files that the project keeps, or with other machine code. Throws std::runtime_error that names the file and
/// the field.
Predictor read_predictor();
Predictor predictor_of(StoredSass code);

}  // namespace flash_steps
