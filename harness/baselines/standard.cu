#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/baselines/cublas.h"
#include "harness/baselines/scores.h"
#include "harness/baselines/standard.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"

namespace flash_steps {
namespace {

// Elements of a matrix of scores, and bytes of all of them: P, of dropout what is left of it and a byte of the mask,
// and of a backward pass dP.
double scores_of(const Problem& problem) {
  return static_cast<double>(problem.rows()) * static_cast<double>(score_stride(problem));
}

double bytes_of_score(const Problem& problem) {
  return 2.0 + (problem.dropout != 0 ? 3 : 0) + (problem.pass == Pass::backward ? 2 : 0);
}

int64_t checked_scores(const Problem& problem) {
  const double free_bytes = static_cast<double>(gpu_memory().free_bytes);
  constexpr double for_cublas = 128.0 * 1024 * 1024;
  const double need = scores_of(problem) * bytes_of_score(problem);
  if (need + for_cublas > free_bytes) {
    const int batch = static_cast<int>(std::max(0.0, (free_bytes - for_cublas) / (need / problem.batch)));
    throw OutOfMemory("standard attention keeps seqlen² numbers a head, " + readable_bytes(need) + " at seqlen " +
                      std::to_string(problem.seqlen) + ", and " + readable_bytes(free_bytes) + " are free; " +
                      (batch > 0 ? "--batch=" + std::to_string(batch) : std::string("a smaller --seqlen")) +
                      " would fit");
  }
  return static_cast<int64_t>(scores_of(problem));
}

// A matrix for each head of Q of each sequence: pointers to them, in the GPU's memory, and the elements from one row to
// the next.
struct Matrices {
  DeviceArray<void*> pointers;
  int stride = 0;
};

class StandardAttention final : public GpuBaseline {
 public:
  StandardAttention(const Problem& problem, const Tensors& tensors)
      : problem_(problem), tensors_(tensors), is_backward_(problem.pass == Pass::backward) {
    allocate_scores(checked_scores(problem));
    q_ = of_queries(tensors.q);
    k_ = of_keys(tensors.k);
    v_ = of_keys(tensors.v);
    p_ = of_scores(scores_.p);
    dropped_ = of_scores(scores_.dropped);
    if (!is_backward_) {
      o_ = of_queries(tensors.o);
      return;
    }
    dp_ = of_scores(scores_.dp);
    d_o_ = of_queries(tensors.d_o);
    dq_ = of_queries(tensors.dq);
    dk_ = of_heads_of_keys(dk_of_heads_, tensors.dk);
    dv_ = of_heads_of_keys(dv_of_heads_, tensors.dv);
    compute_weights(nullptr);
    wait_for_gpu("standard attention");
  }

  void launch(CUstream_st* stream) override {
    if (is_backward_) {
      compute_gradients(stream);
    } else {
      compute_weights(stream);
      multiply({.a = &v_, .b = &dropped_, .c = &o_, .m = dims, .n = queries, .k = keys}, stream);
    }
  }

  const void* output() const override { return tensors_.o; }

  const void* gradient(Output output) const override {
    if (!is_backward_) return nullptr;
    return output == Output::dq ? tensors_.dq : output == Output::dk ? tensors_.dk : tensors_.dv;
  }

  // The pointers are for cuBLAS alone, whose own memory is not counted; but they are ours.
  int64_t workspace_bytes() const override {
    int64_t bytes = p_data_.bytes() + dropped_data_.bytes() + kept_data_.bytes() + dp_data_.bytes() +
                    dk_of_heads_.bytes() + dv_of_heads_.bytes();
    for (const Matrices* each : {&q_, &k_, &v_, &o_, &p_, &dropped_, &dp_, &d_o_, &dq_, &dk_, &dv_}) {
      bytes += each->pointers.bytes();
    }
    return bytes;
  }

  std::string implementation() const override {
    return cublas_.version() + (is_backward_ ? " and a kernel for the softmax's gradient" : " and a softmax kernel");
  }

 private:
  // A size of a product, which follows from the sequence.
  using Size = int (*)(const Problem& problem, int sequence);
  static int queries(const Problem& problem, int sequence) { return problem.queries_of(sequence); }
  static int keys(const Problem& problem, int sequence) { return problem.keys_of(sequence); }
  static int dims(const Problem& problem, int) { return problem.head_dim; }

  struct Product {
    const Matrices* a;
    const Matrices* b;
    const Matrices* c;
    Size m, n, k;
    bool transpose_a = false, transpose_b = false;
    double scale = 1;
  };

  void allocate_scores(int64_t scores) {
    p_data_ = DeviceArray<uint16_t>(scores);
    scores_.p = scores_.dropped = p_data_.data();
    if (problem_.dropout != 0) {
      dropped_data_ = DeviceArray<uint16_t>(scores);
      kept_data_ = DeviceArray<uint8_t>(scores);
      scores_.dropped = dropped_data_.data();
      scores_.kept = kept_data_.data();
    }
    if (is_backward_) {
      dp_data_ = DeviceArray<uint16_t>(scores);
      scores_.dp = dp_data_.data();
    }
  }

  template <typename Offset>
  Matrices matrices(const void* first, int64_t stride, const Offset& offset) const {
    std::vector<void*> pointers;
    for (int s = 0; s < problem_.batch; s++) {
      for (int h = 0; h < problem_.heads; h++) {
        pointers.push_back(const_cast<uint16_t*>(static_cast<const uint16_t*>(first) + offset(s, h)));
      }
    }
    return {DeviceArray<void*>(pointers), static_cast<int>(stride)};
  }

  Matrices of_queries(const void* first) const {
    const int64_t stride = int64_t{problem_.heads} * problem_.head_dim;
    return matrices(first, stride, [&](int s, int h) { return starts_[s] * stride + int64_t{h} * problem_.head_dim; });
  }

  Matrices of_keys(const void* first) const {
    const int64_t stride = int64_t{problem_.key_heads()} * problem_.head_dim;
    return matrices(first, stride, [&](int s, int h) {
      return kv_starts_[s] * stride + int64_t{problem_.key_head(h)} * problem_.head_dim;
    });
  }

  // A gradient of K or V: where heads share one of those, each adds up its own first.
  Matrices of_heads_of_keys(DeviceArray<uint16_t>& of_heads, void* gradient) const {
    if (problem_.key_heads() == problem_.heads) return of_keys(gradient);
    const int64_t stride = int64_t{problem_.heads} * problem_.head_dim;
    of_heads = DeviceArray<uint16_t>(kv_starts_.back() * stride);
    return matrices(of_heads.data(), stride,
                    [&](int s, int h) { return kv_starts_[s] * stride + int64_t{h} * problem_.head_dim; });
  }

  Matrices of_scores(const uint16_t* first) const {
    const int64_t stride = score_stride(problem_);
    return matrices(first, stride, [&](int s, int h) {
      return (int64_t{starts_[s]} * problem_.heads + int64_t{h} * problem_.queries_of(s)) * stride;
    });
  }

  // cuBLAS's matrices are column-major, so that to it each of ours is its transpose: Sᵀ = K·Qᵀ and Oᵀ = Vᵀ·Pᵀ.
  // Sequences of different lengths are products of different sizes, and each is its own call.
  void multiply(const Product& product, CUstream_st* stream) {
    const bool is_packed = problem_.padding != 0;
    const int count = is_packed ? problem_.heads : problem_.batch * problem_.heads;
    for (int s = 0; s < (is_packed ? problem_.batch : 1); s++) {
      const int first = s * problem_.heads;
      cublas_.multiply({.transpose_a = product.transpose_a,
                        .transpose_b = product.transpose_b,
                        .m = product.m(problem_, s),
                        .n = product.n(problem_, s),
                        .k = product.k(problem_, s),
                        .scale = static_cast<float>(product.scale),
                        .a = product.a->pointers.data() + first,
                        .a_stride = product.a->stride,
                        .b = product.b->pointers.data() + first,
                        .b_stride = product.b->stride,
                        .c = const_cast<void**>(product.c->pointers.data()) + first,
                        .c_stride = product.c->stride,
                        .count = count},
                       problem_.dtype, stream);
    }
  }

  void compute_weights(CUstream_st* stream) {
    multiply({.a = &k_, .b = &q_, .c = &p_, .m = keys, .n = queries, .k = dims, .transpose_a = true, .scale = scale()},
             stream);
    softmax_of_scores(problem_, tensors_, scores_, stream);
  }

  void compute_gradients(CUstream_st* stream) {
    multiply({.a = &d_o_, .b = &dropped_, .c = &dv_, .m = dims, .n = keys, .k = queries, .transpose_b = true}, stream);
    multiply({.a = &v_, .b = &d_o_, .c = &dp_, .m = keys, .n = queries, .k = dims, .transpose_a = true}, stream);
    gradient_of_scores(problem_, tensors_, scores_, stream);
    multiply({.a = &k_, .b = &dp_, .c = &dq_, .m = dims, .n = queries, .k = keys, .scale = scale()}, stream);
    multiply(
        {.a = &q_, .b = &dp_, .c = &dk_, .m = dims, .n = keys, .k = queries, .transpose_b = true, .scale = scale()},
        stream);
    if (dk_of_heads_.size() == 0) return;
    sum_groups(problem_, dk_of_heads_.data(), tensors_.dk, stream);
    sum_groups(problem_, dv_of_heads_.data(), tensors_.dv, stream);
  }

  double scale() const { return 1 / std::sqrt(static_cast<double>(problem_.head_dim)); }

  Problem problem_;
  Tensors tensors_;
  bool is_backward_;
  std::vector<int> starts_ = query_starts(problem_);
  std::vector<int> kv_starts_ = key_starts(problem_);
  Cublas cublas_;
  Scores scores_;
  DeviceArray<uint16_t> p_data_, dropped_data_, dp_data_;
  DeviceArray<uint8_t> kept_data_;
  DeviceArray<uint16_t> dk_of_heads_, dv_of_heads_;  // where heads share one of K and V
  Matrices q_, k_, v_, o_, p_, dropped_, dp_, d_o_, dq_, dk_, dv_;
};

}  // namespace

std::unique_ptr<GpuBaseline> make_standard_attention(const Problem& problem, const Tensors& tensors) {
  return std::make_unique<StandardAttention>(problem, tensors);
}

}  // namespace flash_steps
