// FlashAttention-2 and cuDNN's attention, as PyTorch has them, and standard attention of its operators. See plugin.h
// for the interface, and scripts/build_torch_plugin.sh for the build.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention_backward.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_backward.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/baselines/plugin.h"
#include "harness/baselines/torch_standard.h"

struct flash_steps_attention {
  std::vector<at::Tensor> (*compute)(const flash_steps_attention& attention) = nullptr;
  flash_steps_problem problem = {};
  at::Tensor q, k, v;  // views [batch, heads, seqlen, head_dim] of the runner's memory; packed: [rows, heads, head_dim]
  at::Tensor starts, kv_starts;          // of packed sequences
  at::Tensor o, d_o, lse;                // of a backward pass
  std::vector<at::Tensor> state = {};    // likewise: what the operator wants back of a forward pass
  std::vector<at::Tensor> outputs = {};  // of the last run, as q, k and v
  std::vector<at::Tensor> copies = {};   // of pytorch's, packed like the runner's tensors
  // Of pytorch, whose tensors are padded and not packed:
  std::vector<int64_t> lengths = {}, kv_lengths = {};
  flash_steps_torch::Masks masks = {};
  bool has_graph = false;  // of a backward pass: it goes back through the operators that made graph_output
  std::vector<at::Tensor> leaves = {};
  at::Tensor graph_output = {};
  void* graph_stream = nullptr;  // autograd goes back on the stream that it came on
};

namespace {

using namespace flash_steps_torch;

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

auto packed_flash_forward(const flash_steps_attention& attention) {
  const flash_steps_problem& p = attention.problem;
  return at::_flash_attention_forward(attention.q, attention.k, attention.v, attention.starts, attention.kv_starts,
                                      p.seqlen, p.seqlen_kv, p.dropout, p.is_causal != 0, /*return_debug_mask=*/false);
}

std::vector<at::Tensor> flash_attention(const flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  if (problem.dropout > 0) draw_from_the_start(problem);
  if (attention.starts.defined()) return {std::get<0>(packed_flash_forward(attention))};
  return {std::get<0>(at::_scaled_dot_product_flash_attention(attention.q, attention.k, attention.v, problem.dropout,
                                                              problem.is_causal != 0))};
}

std::vector<at::Tensor> flash_attention_backward(const flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  if (attention.starts.defined()) {
    const auto [dq, dk, dv] =
        at::_flash_attention_backward(attention.d_o, attention.q, attention.k, attention.v, attention.o, attention.lse,
                                      attention.starts, attention.kv_starts, problem.seqlen, problem.seqlen_kv,
                                      problem.dropout, problem.is_causal != 0, attention.state[0], attention.state[1]);
    return {dq, dk, dv};
  }
  const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_backward(
      attention.d_o, attention.q, attention.k, attention.v, attention.o, attention.lse, attention.state[0],
      attention.state[1], problem.seqlen, problem.seqlen_kv, problem.dropout, problem.is_causal != 0,
      attention.state[2], attention.state[3]);
  return {dq, dk, dv};
}

void prepare_flash_backward(flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  if (problem.dropout > 0) draw_from_the_start(problem);
  if (attention.starts.defined()) {
    const auto forward = packed_flash_forward(attention);
    attention.lse = std::get<1>(forward);  // a head's of all sequences; the runner's are a sequence's of all heads
    attention.state = {std::get<2>(forward), std::get<3>(forward)};
    return;
  }
  const auto forward = at::_scaled_dot_product_flash_attention(attention.q, attention.k, attention.v, problem.dropout,
                                                               problem.is_causal != 0);
  // The starts of sequences, of which there are none, and the state of the generator.
  attention.state = {std::get<2>(forward), std::get<3>(forward), std::get<6>(forward), std::get<7>(forward)};
}

auto cudnn_forward(const flash_steps_attention& attention, bool with_lse) {
  return at::_scaled_dot_product_cudnn_attention(attention.q, attention.k, attention.v, /*attn_bias=*/std::nullopt,
                                                 with_lse, /*dropout_p=*/0.0, attention.problem.is_causal != 0);
}

std::vector<at::Tensor> cudnn_attention(const flash_steps_attention& attention) {
  return {std::get<0>(cudnn_forward(attention, false))};
}

std::vector<at::Tensor> cudnn_attention_backward(const flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  const auto [dq, dk, dv] = at::_scaled_dot_product_cudnn_attention_backward(
      attention.d_o, attention.q, attention.k, attention.v, attention.o, attention.lse, attention.state[0],
      attention.state[1], /*attn_bias=*/at::Tensor(), attention.state[2], attention.state[3], problem.seqlen,
      problem.seqlen_kv, /*dropout_p=*/0.0, problem.is_causal != 0);
  return {dq, dk, dv};
}

void prepare_cudnn_backward(flash_steps_attention& attention) {
  const auto forward = cudnn_forward(attention, true);
  attention.lse = attention.lse.view(std::get<1>(forward).sizes());  // which may have a dimension of one more
  attention.state = {std::get<6>(forward), std::get<7>(forward), std::get<2>(forward), std::get<3>(forward)};
}

std::vector<at::Tensor> pytorch_attention(const flash_steps_attention& attention) {
  return {standard_attention(attention.q, attention.k, attention.v, attention.masks)};
}

std::vector<at::Tensor> pytorch_attention_backward(const flash_steps_attention& attention) {
  return torch::autograd::grad({attention.graph_output}, attention.leaves, {attention.d_o}, /*retain_graph=*/true);
}

// What the backward pass goes back through; the memory of the one before goes first.
void make_graph(flash_steps_attention& attention, void* stream) {
  attention.outputs.clear();
  attention.graph_output.reset();
  c10::cuda::CUDACachingAllocator::emptyCache();  // of the other stream, whose blocks this one could not have
  const c10::AutoGradMode with_gradients(true);
  attention.leaves.clear();
  for (const at::Tensor* tensor : {&attention.q, &attention.k, &attention.v}) {
    attention.leaves.push_back(tensor->detach().requires_grad_());
  }
  const auto& leaves = attention.leaves;
  attention.graph_output = standard_attention(leaves[0], leaves[1], leaves[2], attention.masks);
  attention.graph_stream = stream;
}

std::vector<int64_t> differences(const at::Tensor& starts) {
  const at::Tensor on_host = starts.diff().to(at::kCPU, at::kLong);
  return {on_host.const_data_ptr<int64_t>(), on_host.const_data_ptr<int64_t>() + on_host.numel()};
}

// Masks, and of packed sequences padded tensors, in which the packed ones' place is taken.
void prepare_pytorch(flash_steps_attention& attention) {
  const flash_steps_problem& problem = attention.problem;
  const at::TensorOptions options = attention.q.options();
  at::Tensor lengths = at::full({1}, problem.seqlen, options.dtype(at::kInt));
  at::Tensor kv_lengths = at::full({1}, problem.seqlen_kv, options.dtype(at::kInt));
  if (attention.starts.defined()) {
    attention.lengths = differences(attention.starts);
    attention.kv_lengths = differences(attention.kv_starts);
    lengths = attention.starts.diff();
    kv_lengths = attention.kv_starts.diff();
    const auto pad = [](at::Tensor& tensor, const std::vector<int64_t>& of_sequences, int seqlen) {
      if (tensor.defined()) tensor = swap_seqlen_and_heads(padded(tensor, of_sequences, seqlen));
    };
    pad(attention.q, attention.lengths, problem.seqlen);
    pad(attention.d_o, attention.lengths, problem.seqlen);
    pad(attention.k, attention.kv_lengths, problem.seqlen_kv);
    pad(attention.v, attention.kv_lengths, problem.seqlen_kv);
  }
  attention.masks.hidden = hidden_keys(problem, lengths, kv_lengths, options);
  if (problem.kept == nullptr) return;
  attention.masks.kept =
      at::from_blob(const_cast<unsigned char*>(problem.kept),
                    {problem.batch, problem.heads, problem.seqlen, problem.seqlen_kv}, options.dtype(at::kBool));
  attention.masks.kept_scale = 1 / (1 - problem.dropout);
}

// An operator by its name; without a function for what it does not do.
struct Operator {
  const char* name;
  std::vector<at::Tensor> (*forward)(const flash_steps_attention& attention);
  std::vector<at::Tensor> (*backward)(const flash_steps_attention& attention);
  void (*prepare)(flash_steps_attention& attention);
  void (*prepare_backward)(flash_steps_attention& attention);
};

constexpr Operator operators[] = {{"fa2", flash_attention, flash_attention_backward, nullptr, prepare_flash_backward},
                                  {"cudnn", cudnn_attention, cudnn_attention_backward, nullptr, prepare_cudnn_backward},
                                  {"pytorch", pytorch_attention, pytorch_attention_backward, prepare_pytorch, nullptr}};

const Operator& operator_named(const std::string& name) {
  for (const Operator& each : operators) {
    if (name == each.name) return each;
  }
  TORCH_CHECK(false, "the plugin has no operator ", name, "; fa2, cudnn and pytorch are what it has");
}

bool is_pytorch(const Operator& found) { return found.forward == pytorch_attention; }

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

void run(flash_steps_attention& attention, void* stream) {
  const c10::InferenceMode inference(!attention.has_graph);
  const c10::cuda::CUDAStreamGuard guard(torch_stream(stream));
  if (attention.has_graph && (!attention.graph_output.defined() || attention.graph_stream != stream)) {
    make_graph(attention, stream);
  }
  attention.copies.clear();
  attention.outputs.clear();  // first, so that the new ones take their place
  attention.outputs = attention.compute(attention);
}

// The outputs of fa2 and cudnn, which must lie as the runner's tensors do.
void find_outputs(const flash_steps_attention& attention, const void** outputs) {
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

void copy_outputs(flash_steps_attention& attention, const void** outputs) {
  const c10::InferenceMode inference;
  for (size_t i = attention.copies.size(); i < attention.outputs.size(); i++) {
    const at::Tensor output = swap_seqlen_and_heads(attention.outputs[i]);
    const std::vector<int64_t>& lengths = i == 0 ? attention.lengths : attention.kv_lengths;
    attention.copies.push_back(lengths.empty() ? output.contiguous() : packed(output, lengths));
  }
  for (size_t i = 0; i < attention.copies.size(); i++) outputs[i] = attention.copies[i].const_data_ptr();
  c10::cuda::device_synchronize();
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
    const Operator& found = operator_named(name);
    // Autograd keeps nothing that was made in this mode.
    const c10::InferenceMode inference(!is_pytorch(found));
    const bool is_backward = problem->d_o != nullptr;
    const bool packed = problem->starts != nullptr;
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
    made->compute = is_backward ? found.backward : found.forward;
    made->has_graph = is_backward && is_pytorch(found);
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
    }
    if (found.prepare != nullptr) found.prepare(*made);
    if (is_backward && found.prepare_backward != nullptr) found.prepare_backward(*made);
    *attention = made.release();
  });
}

const char* flash_steps_attention_run(flash_steps_attention* attention, void* stream) {
  return error_of([&] { run(*attention, stream); });
}

const char* flash_steps_attention_outputs(flash_steps_attention* attention,
                                          const void* outputs[FLASH_STEPS_MOST_OUTPUTS]) {
  return error_of([&] {
    c10::cuda::device_synchronize();
    if (attention->compute == pytorch_attention || attention->has_graph) {
      copy_outputs(*attention, outputs);
    } else {
      find_outputs(*attention, outputs);
    }
  });
}

const char* flash_steps_attention_memory(flash_steps_attention* attention, long long* bytes) {
  return error_of([&] {
    attention->copies.clear();
    attention->outputs.clear();  // what the last run left does not belong to this one
    attention->graph_output.reset();
    const int64_t before = held_by_allocator().current;
    c10::cuda::CUDACachingAllocator::resetPeakStats(c10::cuda::current_device());
    run(*attention, nullptr);
    c10::cuda::device_synchronize();
    *bytes = held_by_allocator().peak - before;
    if (attention->has_graph) *bytes -= static_cast<int64_t>(attention->graph_output.nbytes());
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
