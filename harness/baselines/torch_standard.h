// Standard attention as users of PyTorch wrote it before FlashAttention: a matrix product, masked_fill, softmax,
// dropout and a second matrix product, each an operator that reads and writes N² numbers, with autograd for the
// backward pass. Of the plugin alone, and on any device.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "harness/baselines/plugin.h"

namespace flash_steps_torch {

// Dropout with a mask that is given, where PyTorch's draws one: its forward pass reads the mask, a byte a weight, where
// that one writes it. The kernel is the one of dropout's own backward pass, which is this one's, too.
class GivenDropout : public torch::autograd::Function<GivenDropout> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& weights,
                            const at::Tensor& kept, double scale) {
    context->save_for_backward({kept});
    context->saved_data["scale"] = scale;
    return at::native_dropout_backward(weights, kept, scale);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const double scale = context->saved_data["scale"].toDouble();
    return {at::native_dropout_backward(gradients[0], context->get_saved_variables()[0], scale), {}, {}};
  }
};

// What standard attention gets besides Q, K and V.
struct Masks {
  at::Tensor hidden;  // true where a query does not attend to a key, broadcast to [batch, heads, seqlen, keys]
  at::Tensor kept;    // of dropout [batch, heads, seqlen, keys]
  double kept_scale = 1;
};

// Which keys are hidden, per sequence: those beyond its end and, under a causal mask aligned at the ends, those behind
// the query's own place. Undefined if none is.
inline at::Tensor hidden_keys(const flash_steps_problem& problem, const at::Tensor& lengths,
                              const at::Tensor& kv_lengths, const at::TensorOptions& options) {
  const bool is_packed = problem.starts != nullptr;
  if (!is_packed && problem.is_causal == 0) return {};
  const at::Tensor key = at::arange(problem.seqlen_kv, options.dtype(at::kInt)).view({1, 1, 1, -1});
  const at::Tensor keys = kv_lengths.view({-1, 1, 1, 1});
  if (problem.is_causal == 0) return key >= keys;
  const at::Tensor query = at::arange(problem.seqlen, options.dtype(at::kInt)).view({1, 1, -1, 1});
  const at::Tensor visible = at::minimum(query + 1 + keys - lengths.view({-1, 1, 1, 1}), keys);
  return key >= (is_packed ? visible : visible.slice(0, 0, 1));
}

// A head of K or V for each head of Q.
inline at::Tensor for_each_head(const at::Tensor& tensor, int64_t heads) {
  return tensor.size(1) == heads ? tensor : tensor.repeat_interleave(heads / tensor.size(1), 1);
}

// All tensors are [batch, heads, seqlen, head_dim]. Q is scaled before the product, as in FlashAttention's own tests.
inline at::Tensor standard_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                     const Masks& masks) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  at::Tensor scores = at::matmul(q * scale, for_each_head(k, q.size(1)).transpose(2, 3));
  if (masks.hidden.defined()) scores = scores.masked_fill(masks.hidden, -INFINITY);
  at::Tensor weights = at::softmax(scores, -1);
  scores.reset();  // autograd does not keep it, and neither must this
  if (masks.kept.defined()) weights = GivenDropout::apply(weights, masks.kept, masks.kept_scale);
  return at::matmul(weights, for_each_head(v, q.size(1)));
}

// [batch, seqlen, heads, head_dim] with zeros behind each sequence's end, from [rows, heads, head_dim].
inline at::Tensor padded(const at::Tensor& rows, const std::vector<int64_t>& lengths, int64_t seqlen) {
  at::Tensor result =
      at::zeros({static_cast<int64_t>(lengths.size()), seqlen, rows.size(1), rows.size(2)}, rows.options());
  int64_t first = 0;
  for (size_t s = 0; s < lengths.size(); s++) {
    result.select(0, static_cast<int64_t>(s)).slice(0, 0, lengths[s]).copy_(rows.slice(0, first, first + lengths[s]));
    first += lengths[s];
  }
  return result;
}

// The reverse.
inline at::Tensor packed(const at::Tensor& tensor, const std::vector<int64_t>& lengths) {
  std::vector<at::Tensor> rows;
  for (size_t s = 0; s < lengths.size(); s++) {
    rows.push_back(tensor.select(0, static_cast<int64_t>(s)).slice(0, 0, lengths[s]));
  }
  return at::cat(rows);
}

}  // namespace flash_steps_torch
