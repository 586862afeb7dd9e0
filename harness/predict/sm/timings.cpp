#include "harness/predict/sm/timings.h"

namespace flash_steps {

const char* name_of(FigureSource source) {
  constexpr const char* names[] = {"measured", "machine code", "document", "fitted", "assumed"};
  return names[static_cast<int>(source)];
}

const std::vector<TimingSource>& timing_sources() {
  using T = SmTimings;
  constexpr const char* distance = "the least distance of two of them that ptxas leaves";
  constexpr const char* alone =
      "of the H100 docs/results/h100_pipes.json, of the others the throughput table of the CUDA C++ Best Practices "
      "Guide";
  constexpr const char* chain = "docs/results/h100_pipes.json: a chain of them, less what else is in the chain";
  static const std::vector<TimingSource> sources{
      {"tensor_interval", &T::tensor_interval, FigureSource::measured,
       "harness/model/rates.cpp: white papers; of the H100 mma_ceiling_tflops in docs/results/h100.json"},
      {"half_interval", &T::half_interval, FigureSource::measured, alone},
      {"alu_interval", &T::alu_interval, FigureSource::measured, alone},
      {"mufu_interval", &T::mufu_interval, FigureSource::measured, alone},
      {"mufu_latency", &T::mufu_latency, FigureSource::measured, chain},
      {"mufu_ahead", &T::mufu_ahead, FigureSource::assumed, "no row moves with it"},
      {"tensor_port_extra", &T::tensor_port_extra, FigureSource::fitted,
       "of Ampere on the calibrated rows of the A100; of the H100 docs/results/h100_pipes.json, which leaves nothing"},
      {"queue_latency", &T::queue_latency, FigureSource::assumed, "part of LDSM's latency"},
      {"queue_entries", &T::queue_entries, FigureSource::document, "of the order in arXiv 2503.20481"},
      {"queue_interval", &T::queue_interval, FigureSource::document, "arXiv 2503.20481"},
      {"shared_latency", &T::shared_latency, FigureSource::measured, chain},
      {"return_interval", &T::return_interval, FigureSource::assumed, "64 bytes a cycle back to a sub-core"},
      {"shuffle_wavefronts", &T::shuffle_wavefronts, FigureSource::measured,
       "docs/results/h100_pipes.json: each of four sub-cores one in four cycles"},
      {"shuffle_latency", &T::shuffle_latency, FigureSource::measured, chain},
      {"read_latency", &T::read_latency, FigureSource::assumed, "no row moves with it"},
      {"copy_wavefronts", &T::copy_wavefronts, FigureSource::assumed, "a request's addresses"},
      {"fill_wavefronts", &T::fill_wavefronts, FigureSource::measured,
       "docs/results/h100_counters.json: four for the 512 bytes of a warp's LDGSTS"},
      {"l2_latency", &T::l2_latency, FigureSource::measured, chain},
      {"l2_bytes", &T::l2_bytes, FigureSource::measured,
       "docs/results/h100_pipes.json; of the others the 64 bytes a cycle and SM of NVIDIA's white papers"},
      {"l2_spread", &T::l2_spread, FigureSource::assumed, "keeps the CTAs of an SM from running in step"},
      {"dram_latency", &T::dram_latency, FigureSource::measured, chain},
      {"dram_bytes", &T::dram_bytes, FigureSource::document, "the card's DRAM over its SMs and its clock"},
      {"commit_latency", &T::commit_latency, FigureSource::assumed, "no row moves with it"},
      {"local_latency", &T::local_latency, FigureSource::assumed, "spills are few"},
      {"special_latency", &T::special_latency, FigureSource::assumed, "once a CTA"},
      {"uniform_latency", &T::uniform_latency, FigureSource::machine_code, distance},
      {"barrier_latency", &T::barrier_latency, FigureSource::measured, chain},
      {"branch_latency", &T::branch_latency, FigureSource::assumed, "once a tile"},
      {"cta_latency", &T::cta_latency, FigureSource::assumed, "once a CTA"},
      {"cta_stagger", &T::cta_stagger, FigureSource::assumed, "once an SM"}};
  return sources;
}

SmTimings timings_of(const Rates& rates) {
  constexpr double lanes = 32;  // of a warp
  constexpr double sub_cores = 4;
  SmTimings timings;
  timings.tensor_interval = sub_cores * rates.product_cycles;
  const bool is_measured = rates.arch == "sm_90";
  timings.tensor_port_extra = is_measured ? 0 : 2;
  timings.l2_bytes = is_measured ? 82 : 64;
  timings.two_fp32_halves = rates.float_lanes > rates.imad_lanes;
  timings.half_interval = sub_cores * lanes / rates.imad_lanes;
  timings.alu_interval = sub_cores * lanes / rates.alu_lanes;
  timings.mufu_interval = sub_cores * lanes / rates.mufu_lanes;
  return timings;
}

}  // namespace flash_steps
