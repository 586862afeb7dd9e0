// FlashAttention-2 and cuDNN's attention, as PyTorch has them. See plugin.h for the interface, and
// scripts/build_torch_plugin.sh for the build.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_backward.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <torch/version.h>

#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/baselines/plugin.h"

struct flash_steps_attention {
  std::vector<at::Tensor> (*compute)(const flash_steps_attention& attention) = nullptr;
  flash_steps_problem problem = {};
  at::Tensor q, k, v;  // views [batch, heads, seqlen, head_dim] of the runner's memory; packed: [rows, heads, head_dim]
  at::Tensor starts, kv_starts;          // of packed sequences
  at::Tensor o, d_o, lse;                // of a backward pass
  std::vector<at::Tensor> state = {};    // likewise: what the operator wants back of a forward pass
  std::vector<at::Tensor> outputs = {};  // of the last run, as q, k and v
};

namespace {

// What PyTorch's operators want, and what they give: [batch, heads, seqlen, head_dim], whose strides may be any. In
// memory both stay as the runner has them.
at::Tensor swap_seqlen_and_heads(const at::Tensor& tensor) { return tensor.transpose(1, 2); }

// FlashAttention-2 takes what it draws from the generator's state, which its own draws move on.
void draw_from_the_start(const flash_steps_problem& problem) {
  at::Generator generator = at::cuda::detail::getDefaultCUDAGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(problem.dropout_seed);
  generator.set_offset(problem.dropout_offset);
}

std::vector<at::Tensor> flash_attention(const flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  const bool is_causal = problem.is_causal != 0;
  if (problem.dropout > 0) draw_from_the_start(problem);
  if (attention.starts.defined()) {
    return {std::get<0>(at::_flash_attention_forward(attention.q, attention.k, attention.v, attention.starts,
                                                     attention.kv_starts, problem.seqlen, problem.seqlen_kv,
                                                     problem.dropout, is_causal, /*return_debug_mask=*/false))};
  }
  return {std::get<0>(
      at::_scaled_dot_product_flash_attention(attention.q, attention.k, attention.v, problem.dropout, is_causal))};
}

std::vector<at::Tensor> flash_attention_backward(const flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_backward(
      attention.d_o, attention.q, attention.k, attention.v, attention.o, attention.lse, attention.state[0],
      attention.state[1], problem.seqlen, problem.seqlen_kv, problem.dropout, problem.is_causal != 0,
      attention.state[2], attention.state[3]);
  return {dq, dk, dv};
}

void prepare_backward(flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  if (problem.dropout > 0) draw_from_the_start(problem);
  const auto forward = at::_scaled_dot_product_flash_attention(attention.q, attention.k, attention.v, problem.dropout,
                                                               problem.is_causal != 0);
  // The starts of sequences, of which there are none, and the state of the generator.
  attention.state = {std::get<2>(forward), std::get<3>(forward), std::get<6>(forward), std::get<7>(forward)};
}

std::vector<at::Tensor> cudnn_attention(const flash_steps_attention& attention) {
  return {std::get<0>(at::_scaled_dot_product_cudnn_attention(
      attention.q, attention.k, attention.v, /*attn_bias=*/std::nullopt,
      /*compute_log_sumexp=*/false, /*dropout_p=*/0.0, attention.problem.is_causal != 0))};
}

// The first line of an error: PyTorch appends a stack trace.
std::string first_line(std::string text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

thread_local bool was_out_of_memory = false;

// Does something and returns its error, or null.
template <typename Action>
const char* error_of(const Action& action) {
  thread_local std::string error;
  try {
    action();
    return nullptr;
  } catch (const c10::Error& caught) {
    was_out_of_memory = dynamic_cast<const c10::OutOfMemoryError*>(&caught) != nullptr;
    error = first_line(caught.what_without_backtrace());
  } catch (const std::exception& caught) {
    was_out_of_memory = false;
    error = first_line(caught.what());
  }
  return error.c_str();
}

c10::cuda::CUDAStream torch_stream(void* stream) {
  const c10::DeviceIndex device = c10::cuda::current_device();
  if (stream == nullptr) return c10::cuda::getDefaultCUDAStream(device);
  return c10::cuda::getStreamFromExternal(static_cast<cudaStream_t>(stream), device);
}

// Bytes of the GPU's memory that PyTorch's tensors take now, and took at most since the peak was reset. The first of
// the statistics is that of all of the allocator's pools together.
auto held_by_allocator() {
  return c10::cuda::CUDACachingAllocator::getDeviceStats(c10::cuda::current_device()).allocated_bytes.front();
}

std::string version(long number, long major_unit, long minor_unit) {
  return std::to_string(number / major_unit) + "." + std::to_string(number % major_unit / minor_unit);
}

void run(flash_steps_attention& attention, void* stream, const void** outputs) {
  const c10::InferenceMode inference;
  const c10::cuda::CUDAStreamGuard guard(torch_stream(stream));
  attention.outputs.clear();  // first, so that the new ones take their place
  attention.outputs = attention.compute(attention);
  const at::Tensor* const shapes[] = {&attention.q, &attention.k, &attention.v};
  for (size_t i = 0; i < attention.outputs.size(); i++) {
    const at::Tensor& output = attention.outputs[i];
    TORCH_CHECK(output.sizes() == shapes[i]->sizes() && output.scalar_type() == shapes[i]->scalar_type() &&
                    (attention.starts.defined() ? output : swap_seqlen_and_heads(output)).is_contiguous(),
                "the operator's output is not of the inputs' layout but has the sizes ", output.sizes(),
                " and strides ", output.strides());
    outputs[i] = output.const_data_ptr();
  }
}

}  // namespace

extern "C" {

int flash_steps_plugin_version(void) { return FLASH_STEPS_PLUGIN_VERSION; }

const char* flash_steps_plugin_description(void) {
  static const std::string description = [] {
    std::string text = "PyTorch " TORCH_VERSION;
    int runtime = 0;
    if (cudaRuntimeGetVersion(&runtime) == cudaSuccess) text += ", CUDA " + version(runtime, 1000, 10);
    // 91501 is 9.15.1
    error_of([&] {
      const long cudnn = at::detail::getCUDAHooks().versionCuDNN();
      text += ", cuDNN " + version(cudnn, 10000, 100) + "." + std::to_string(cudnn % 100);
    });
    return text;
  }();
  return description.c_str();
}

int flash_steps_was_out_of_memory(void) { return was_out_of_memory ? 1 : 0; }

const char* flash_steps_attention_create(const char* name, const flash_steps_problem* problem,
                                         flash_steps_attention** attention) {
  return error_of([&] {
    const c10::InferenceMode inference;
    const bool is_backward = problem->d_o != nullptr;
    const bool packed = problem->starts != nullptr;
    auto* const compute = std::string(name) == "fa2"     ? (is_backward ? flash_attention_backward : flash_attention)
                          : std::string(name) == "cudnn" ? cudnn_attention
                                                         : nullptr;
    TORCH_CHECK(compute != nullptr, "the plugin has no operator ", name, "; fa2 and cudnn are what it has");
    TORCH_CHECK(!is_backward || (compute == flash_attention_backward && !packed),
                "the plugin's backward pass is that of fa2, of sequences that are not packed");
    const auto options = at::TensorOptions()
                             .dtype(problem->is_bf16 != 0 ? at::kBFloat16 : at::kHalf)
                             .device(at::kCUDA, c10::cuda::current_device());
    at::empty({1}, options);  // makes PyTorch's own state of the GPU, of which from_blob takes no care
    const auto view = [&](const void* data, int seqlen, int64_t rows, int heads) {
      if (packed) return at::from_blob(const_cast<void*>(data), {rows, heads, problem->head_dim}, options);
      return swap_seqlen_and_heads(
          at::from_blob(const_cast<void*>(data), {problem->batch, seqlen, heads, problem->head_dim}, options));
    };
    const auto starts = [&](const int* data) {
      return at::from_blob(const_cast<int*>(data), {problem->batch + 1}, options.dtype(at::kInt));
    };
    auto made = std::make_unique<flash_steps_attention>();
    made->compute = compute;
    made->problem = *problem;
    made->q = view(problem->q, problem->seqlen, problem->rows, problem->heads);
    made->k = view(problem->k, problem->seqlen_kv, problem->kv_rows, problem->kv_heads);
    made->v = view(problem->v, problem->seqlen_kv, problem->kv_rows, problem->kv_heads);
    if (packed) {
      made->starts = starts(problem->starts);
      made->kv_starts = starts(problem->kv_starts);
    }
    if (is_backward) {
      made->o = view(problem->o, problem->seqlen, problem->rows, problem->heads);
      made->d_o = view(problem->d_o, problem->seqlen, problem->rows, problem->heads);
      made->lse = at::from_blob(const_cast<float*>(problem->lse), {problem->batch, problem->heads, problem->seqlen},
                                options.dtype(at::kFloat));
      prepare_backward(*made);
    }
    *attention = made.release();
  });
}

const char* flash_steps_attention_run(flash_steps_attention* attention, void* stream,
                                      const void* outputs[FLASH_STEPS_MOST_OUTPUTS]) {
  return error_of([&] { run(*attention, stream, outputs); });
}

const char* flash_steps_attention_memory(flash_steps_attention* attention, long long* bytes) {
  return error_of([&] {
    attention->outputs.clear();  // what the last run left does not belong to this one
    const int64_t before = held_by_allocator().current;
    c10::cuda::CUDACachingAllocator::resetPeakStats(c10::cuda::current_device());
    const void* outputs[FLASH_STEPS_MOST_OUTPUTS];
    run(*attention, nullptr, outputs);
    c10::cuda::device_synchronize();
    *bytes = held_by_allocator().peak - before;
    int64_t output_bytes = 0;
    for (const at::Tensor& output : attention->outputs) output_bytes += output.nbytes();
    TORCH_CHECK(*bytes >= output_bytes, "PyTorch's allocator tells of ", *bytes, " bytes where the outputs alone have ",
                output_bytes, "; the caching allocator, which is PyTorch's default, would work");
  });
}

void flash_steps_attention_destroy(flash_steps_attention* attention) {
  if (attention == nullptr) return;
  // An error here is one of what was run, which is reported where that is waited for.
  error_of([&] {
    c10::cuda::device_synchronize();
    delete attention;
    c10::cuda::CUDACachingAllocator::emptyCache();
  });
}

}  // extern "C"
