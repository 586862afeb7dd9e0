// The part of cuBLAS that standard attention needs. The library is opened when it is first asked for, so that nothing
// else depends on it.
#pragma once

#include <string>

#include "harness/contract/kernel.h"

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

/// `count` independent products C = scale·op(A)·op(B) of column-major matrices in 16 bits, accumulated in fp32; op(A)
/// is [m, k], op(B) is [k, n], C is [m, n]. a, b and c are arrays, in the GPU's memory, of pointers to the matrices.
struct BatchedProduct {
  bool transpose_a = false;  ///< A is stored as [k, m]
  bool transpose_b = false;  ///< B is stored as [n, k]
  int m, n, k;
  float scale;
  const void* const* a;
  int a_stride;  ///< elements from one column to the next
  const void* const* b;
  int b_stride;
  void* const* c;
  int c_stride;
  int count;
};

class Cublas {
 public:
  /// Throws MachineError, with a sentence that says what would work, when the library is not there.
  Cublas();
  ~Cublas();
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  /// "cuBLAS 13.1.0"
  std::string version() const;

  /// Puts the products on the stream. Throws std::runtime_error if cuBLAS refuses them.
  void multiply(const BatchedProduct& product, Dtype dtype, CUstream_st* stream);

 private:
  struct Library;
  static const Library& library();

  void* handle_ = nullptr;
};

}  // namespace flash_steps
