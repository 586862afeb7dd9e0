#include <algorithm>
#include <cfloat>
#include <cmath>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/baselines/cublas.h"
#include "harness/baselines/standard.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/cuda/numbers.cuh"

namespace flash_steps {
namespace {

constexpr int vector_size = 8;  // 16-bit numbers in the 16 bytes that a thread loads at once
constexpr int most_threads = 1024;
constexpr int64_t most_ctas = 1 << 20;
constexpr float log2_e = 1.4426950408889634f;

struct alignas(16) Vector {
  uint16_t bits[vector_size];
};

// The maximum of some numbers, and the sum of their exponentials relative to it.
struct Exponentials {
  float max;
  float sum;

  __device__ void add(Exponentials other) {
    const float both = fmaxf(max, other.max);
    sum = sum * exp2f((max - both) * log2_e) + other.sum * exp2f((other.max - both) * log2_e);
    max = both;
  }
};

// All threads of the CTA get the result.
__device__ Exponentials add_up(Exponentials value) {
  __shared__ Exponentials of_warp[most_threads / 32];
  for (int lane_mask = 16; lane_mask > 0; lane_mask /= 2) {
    value.add({__shfl_xor_sync(0xffffffffu, value.max, lane_mask), __shfl_xor_sync(0xffffffffu, value.sum, lane_mask)});
  }
  __syncthreads();  // of_warp may still be read for the row before
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  value = of_warp[0];
  for (int w = 1; w < blockDim.x / 32; w++) value.add(of_warp[w]);
  return value;
}

// A CTA takes a row. Its second reading comes out of L1: all CTAs of an SM together have at most 2048 threads.
template <Dtype dtype>
__global__ void softmax_rows(uint16_t* s, int64_t rows, int seqlen) {  // s [rows, seqlen]
  const int vectors = seqlen / vector_size;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    Vector* const of_row = reinterpret_cast<Vector*>(s + row * seqlen);

    Exponentials mine{-FLT_MAX, 0};  // and not -infinity, of which differences are NaN
    for (int i = threadIdx.x; i < vectors; i += blockDim.x) {
      const Vector vector = of_row[i];
      Exponentials of_vector{-FLT_MAX, 0};
      for (const uint16_t bits : vector.bits) of_vector.max = fmaxf(of_vector.max, to_float<dtype>(bits));
      for (const uint16_t bits : vector.bits) {
        of_vector.sum += exp2f((to_float<dtype>(bits) - of_vector.max) * log2_e);
      }
      mine.add(of_vector);
    }
    const Exponentials all = add_up(mine);

    for (int i = threadIdx.x; i < vectors; i += blockDim.x) {
      Vector vector = of_row[i];
      for (uint16_t& bits : vector.bits) {
        bits = from_float<dtype>(exp2f((to_float<dtype>(bits) - all.max) * log2_e) / all.sum);
      }
      of_row[i] = vector;
    }
  }
}

// The first element of each head of each sequence.
template <typename T>
DeviceArray<T*> pointers(T* first, int batch, int heads, int64_t batch_stride, int64_t head_stride) {
  using Element = std::conditional_t<std::is_const_v<T>, const uint16_t, uint16_t>;
  std::vector<T*> of_heads;
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t h = 0; h < heads; h++) {
      of_heads.push_back(static_cast<Element*>(first) + b * batch_stride + h * head_stride);
    }
  }
  return DeviceArray<T*>(of_heads);
}

// Elements of S.
double scores_of(const Problem& problem) {
  return double(problem.batch) * problem.heads * problem.seqlen * double(problem.seqlen);
}

int64_t checked_scores(const Problem& problem) {
  if (problem.seqlen % vector_size != 0) {
    throw MachineError("standard attention covers lengths that are a multiple of " + std::to_string(vector_size) +
                       ", and seqlen is " + std::to_string(problem.seqlen) + "; " +
                       std::to_string((problem.seqlen / vector_size + 1) * vector_size) + " would work");
  }
  const double free_bytes = static_cast<double>(gpu_memory().free_bytes);
  constexpr double for_cublas = 128.0 * 1024 * 1024;
  const double need = scores_of(problem) * sizeof(uint16_t);
  if (need + for_cublas > free_bytes) {
    const int batch = static_cast<int>(std::max(0.0, (free_bytes - for_cublas) / (need / problem.batch)));
    throw OutOfMemory("standard attention keeps seqlen² numbers a head, " + readable_bytes(need) + " at seqlen " +
                      std::to_string(problem.seqlen) + ", and " + readable_bytes(free_bytes) + " are free; " +
                      (batch > 0 ? "--batch=" + std::to_string(batch) : std::string("a smaller --seqlen")) +
                      " would fit");
  }
  return static_cast<int64_t>(scores_of(problem));
}

class StandardAttention final : public GpuBaseline {
 public:
  StandardAttention(const Problem& problem, const Tensors& tensors)
      : problem_(problem), output_(tensors.o), scores_(checked_scores(problem)) {
    const int batch = problem.batch;
    const int heads = problem.heads;
    const int64_t seqlen = problem.seqlen;
    const int64_t batch_stride = seqlen * heads * problem.head_dim;
    q_ = pointers(tensors.q, batch, heads, batch_stride, problem.head_dim);
    k_ = pointers(tensors.k, batch, heads, batch_stride, problem.head_dim);
    v_ = pointers(tensors.v, batch, heads, batch_stride, problem.head_dim);
    o_ = pointers(tensors.o, batch, heads, batch_stride, problem.head_dim);
    s_ = pointers(static_cast<void*>(scores_.data()), batch, heads, heads * seqlen * seqlen, seqlen * seqlen);
  }

  // cuBLAS's matrices are column-major, so that to it each of ours is its transpose: Sᵀ = K·Qᵀ and Oᵀ = Vᵀ·Pᵀ.
  void launch(CUstream_st* stream) override {
    const int seqlen = problem_.seqlen;
    const int head_dim = problem_.head_dim;
    const int row_stride = problem_.heads * head_dim;
    const int count = problem_.batch * problem_.heads;
    cublas_.multiply({.transpose_a = true,
                      .m = seqlen,
                      .n = seqlen,
                      .k = head_dim,
                      .scale = 1 / std::sqrt(static_cast<float>(head_dim)),
                      .a = k_.data(),
                      .a_stride = row_stride,
                      .b = q_.data(),
                      .b_stride = row_stride,
                      .c = s_.data(),
                      .c_stride = seqlen,
                      .count = count},
                     problem_.dtype, stream);
    launch_softmax(stream);
    cublas_.multiply({.transpose_a = false,
                      .m = head_dim,
                      .n = seqlen,
                      .k = seqlen,
                      .scale = 1,
                      .a = v_.data(),
                      .a_stride = row_stride,
                      .b = s_.data(),
                      .b_stride = seqlen,
                      .c = o_.data(),
                      .c_stride = row_stride,
                      .count = count},
                     problem_.dtype, stream);
  }

  const void* output() const override { return output_; }

  // The pointers are for cuBLAS alone, whose own memory is not counted; but they are ours.
  int64_t workspace_bytes() const override {
    return scores_.bytes() + q_.bytes() + k_.bytes() + v_.bytes() + o_.bytes() + s_.bytes();
  }

  std::string implementation() const override { return cublas_.version() + " and a softmax kernel"; }

 private:
  void launch_softmax(CUstream_st* stream) {
    const int64_t rows = int64_t{problem_.batch} * problem_.heads * problem_.seqlen;
    const unsigned ctas = static_cast<unsigned>(std::min(rows, most_ctas));
    const int warps = (problem_.seqlen / vector_size + 31) / 32;
    const unsigned threads = std::min(warps * 32, most_threads);
    const auto softmax = problem_.dtype == Dtype::fp16 ? softmax_rows<Dtype::fp16> : softmax_rows<Dtype::bf16>;
    softmax<<<ctas, threads, 0, stream>>>(scores_.data(), rows, problem_.seqlen);
    check_launch("the softmax of standard attention");
  }

  Problem problem_;
  void* output_;
  Cublas cublas_;
  DeviceArray<uint16_t> scores_;  // [batch, heads, seqlen, seqlen]: S, then P
  DeviceArray<const void*> q_, k_, v_;
  DeviceArray<void*> s_, o_;
};

}  // namespace

std::unique_ptr<GpuBaseline> make_standard_attention(const Problem& problem, const Tensors& tensors) {
  return std::make_unique<StandardAttention>(problem, tensors);
}

}  // namespace flash_steps
