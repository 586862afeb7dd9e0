#include "harness/baselines/cublas.h"

#include <dlfcn.h>

#include <stdexcept>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

// The part of cuBLAS's binary interface that is used here, from its manual. It has not changed from version 11 to 13.
constexpr int success = 0;             // CUBLAS_STATUS_SUCCESS
constexpr int allocation_failed = 3;   // CUBLAS_STATUS_ALLOC_FAILED
constexpr int not_transposed = 0;      // CUBLAS_OP_N
constexpr int transposed = 1;          // CUBLAS_OP_T
constexpr int fp16 = 2;                // CUDA_R_16F
constexpr int bf16 = 14;               // CUDA_R_16BF
constexpr int compute_fp32 = 68;       // CUBLAS_COMPUTE_32F
constexpr int default_algorithm = -1;  // CUBLAS_GEMM_DEFAULT

// The newest first, by the name that the loader finds or has loaded already, then where the CUDA Toolkit puts it.
constexpr const char* files[] = {"libcublas.so.13",
                                 "libcublas.so.12",
                                 "libcublas.so.11",
                                 "/usr/local/cuda/lib64/libcublas.so.13",
                                 "/usr/local/cuda/lib64/libcublas.so.12",
                                 "/usr/local/cuda/lib64/libcublas.so.11"};

void* open_library() {
  for (const char* file : files) {
    if (void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  throw MachineError(
      "standard attention needs cuBLAS, and the loader finds no libcublas.so.13, .12 or .11; LD_LIBRARY_PATH=FOLDER of "
      "the CUDA Toolkit's lib64 would work");
}

template <typename Function>
Function* find(void* library, const char* name) {
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr) throw MachineError(std::string("this cuBLAS has no ") + name + "; a newer one would work");
  return reinterpret_cast<Function*>(symbol);
}

void check(int status, const char* what) {
  if (status == success) return;
  if (status == allocation_failed) throw OutOfMemory(std::string("out of memory: ") + what + " failed");
  throw std::runtime_error(std::string(what) + " failed with cuBLAS's status " + std::to_string(status));
}

}  // namespace

struct Cublas::Library {
  void* handle = open_library();
  int (*create)(void**) = find<int(void**)>(handle, "cublasCreate_v2");
  int (*destroy)(void*) = find<int(void*)>(handle, "cublasDestroy_v2");
  int (*version)(void*, int*) = find<int(void*, int*)>(handle, "cublasGetVersion_v2");
  int (*set_stream)(void*, CUstream_st*) = find<int(void*, CUstream_st*)>(handle, "cublasSetStream_v2");

  using Gemm = int(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha,
                   const void* const a[], int a_type, int a_stride, const void* const b[], int b_type, int b_stride,
                   const void* beta, void* const c[], int c_type, int c_stride, int count, int compute_type,
                   int algorithm);
  Gemm* gemm = find<Gemm>(handle, "cublasGemmBatchedEx");
};

// Stays open: another library of the process may have opened it, too.
const Cublas::Library& Cublas::library() {
  static const Library library;
  return library;
}

Cublas::Cublas() { check(library().create(&handle_), "starting cuBLAS"); }

Cublas::~Cublas() { library().destroy(handle_); }

std::string Cublas::version() const {
  int number = 0;  // 130100 is 13.1.0; 11 and 12 have the same form
  check(library().version(handle_, &number), "asking for cuBLAS's version");
  return "cuBLAS " + std::to_string(number / 10000) + "." + std::to_string(number % 10000 / 100) + "." +
         std::to_string(number % 100);
}

void Cublas::multiply(const BatchedProduct& product, Dtype dtype, CUstream_st* stream) {
  const int type = dtype == Dtype::fp16 ? fp16 : bf16;
  const float zero = 0;
  check(library().set_stream(handle_, stream), "giving cuBLAS a stream");
  check(library().gemm(handle_, product.transpose_a ? transposed : not_transposed,
                       product.transpose_b ? transposed : not_transposed, product.m, product.n, product.k,
                       &product.scale, product.a, type, product.a_stride, product.b, type, product.b_stride, &zero,
                       product.c, type, product.c_stride, product.count, compute_fp32, default_algorithm),
        "cuBLAS's matrix product");
}

}  // namespace flash_steps
