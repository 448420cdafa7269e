// libcublas: matrix products, column-major as there, each a host function in its stream. The build adds every other function that
// CuPy links, each of which only says that it is not supported.
//
//     C = alpha * op(A) * op(B) + beta * C        op(X): X, its transpose or its conjugate transpose
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <library_types.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <functional>
#include <vector>

#define CUBLAS_API extern "C" __attribute__((visibility("default"))) int

namespace {

enum Status { kSuccess = 0, kExecutionFailed = 13, kNotSupported = 15 };
enum Op { kPlain = 0, kTransposed = 1, kConjugateTransposed = 2 };
enum Compute { kCompute16F = 64, kCompute16FPedantic = 65 };

using complex64 = std::complex<float>;
using complex128 = std::complex<double>;

struct Handle {
  cudaStream_t stream = nullptr;
  int pointer_mode = 0;
  int math_mode = 0;
};

struct Shape {
  int op_a, op_b, m, n, k, lda, ldb, ldc;
};

template <class T>
T conjugate(T value) {
  return value;
}
template <class T>
std::complex<T> conjugate(std::complex<T> value) {
  return std::conj(value);
}

// One element of op(X), where X is stored column by column, `ld` apart.
template <class Sum, class In>
Sum element(const In* x, int ld, int op, int row, int column) {
  const Sum value = static_cast<Sum>(op == kPlain ? x[row + std::int64_t{column} * ld] : x[column + std::int64_t{row} * ld]);
  return op == kConjugateTransposed ? conjugate(value) : value;
}

// Column by column of C, as sums of columns of op(A): the inner loop runs along memory, so that the compiler vectorises it.
template <class In, class Out, class Sum>
void multiply(const Shape& s, Sum alpha, const In* a, const In* b, Sum beta, Out* c) {
  std::vector<Sum> columns(std::size_t(s.m) * s.k);
  for (int p = 0; p < s.k; p++) {
    for (int i = 0; i < s.m; i++) columns[i + std::size_t(p) * s.m] = element<Sum>(a, s.lda, s.op_a, i, p);
  }
  std::vector<Sum> sum(s.m);
  for (int j = 0; j < s.n; j++) {
    std::fill(sum.begin(), sum.end(), Sum{});
    for (int p = 0; p < s.k; p++) {
      const Sum factor = element<Sum>(b, s.ldb, s.op_b, p, j);
      const Sum* column = &columns[std::size_t(p) * s.m];
      for (int i = 0; i < s.m; i++) sum[i] += column[i] * factor;
    }
    Out* target = c + std::int64_t{j} * s.ldc;
    for (int i = 0; i < s.m; i++) {
      // beta 0 must not read C, which may be uninitialised
      target[i] = static_cast<Out>(beta == Sum{} ? alpha * sum[i] : alpha * sum[i] + beta * static_cast<Sum>(target[i]));
    }
  }
}

int enqueue(Handle* handle, std::function<void()> work) {
  auto* queued = new std::function<void()>(std::move(work));
  auto call = [](void* argument) {
    auto* function = static_cast<std::function<void()>*>(argument);
    (*function)();
    delete function;
  };
  if (cudaLaunchHostFunc(handle->stream, call, queued) == cudaSuccess) return kSuccess;
  delete queued;
  return kExecutionFailed;
}

// `batch` products; the i-th of each matrix is `stride` elements after the one before.
struct Batch {
  int count = 1;
  std::int64_t stride_a = 0, stride_b = 0, stride_c = 0;
};

template <class In, class Out, class Sum>
int product(Handle* handle, const Shape& shape, Sum alpha, const void* a, const void* b, Sum beta, void* c, const Batch& batch) {
  if (handle->pointer_mode != 0) return kNotSupported;  // alpha and beta in device memory
  return enqueue(handle, [=] {
    for (int i = 0; i < batch.count; i++) {
      multiply<In, Out, Sum>(shape, alpha, static_cast<const In*>(a) + i * batch.stride_a, static_cast<const In*>(b) + i * batch.stride_b, beta,
                             static_cast<Out*>(c) + i * batch.stride_c);
    }
  });
}

// The matrices of a batch given by tables of pointers in device memory, which are read when the operation's turn comes.
template <class T>
int products_by_pointer(Handle* handle, const Shape& shape, T alpha, const T* const* a, const T* const* b, T beta, T* const* c, int count) {
  if (handle->pointer_mode != 0) return kNotSupported;
  return enqueue(handle, [=] {
    for (int i = 0; i < count; i++) multiply<T, T, T>(shape, alpha, a[i], b[i], beta, c[i]);
  });
}

// alpha or beta: in the type of the sums, but half where everything is computed in halves.
template <class Sum>
Sum scalar(const void* value, bool is_half) {
  if constexpr (std::is_same_v<Sum, float>) {
    if (is_half) return *static_cast<const __half*>(value);
  }
  return *static_cast<const Sum*>(value);
}

struct Matrix {
  const void* data;
  int type;  // a cudaDataType_t
};

// compute: a cublasComputeType_t or, from the older entry points, a cudaDataType_t
int product_by_type(Handle* handle, const Shape& shape, const void* alpha, Matrix a, Matrix b, const void* beta, void* c, int c_type, int compute,
                    const Batch& batch) {
  if (a.type != b.type) return kNotSupported;
  const bool is_half = compute == CUDA_R_16F || compute == kCompute16F || compute == kCompute16FPedantic;
  auto is = [&](int in, int out) { return a.type == in && c_type == out; };
#define PRODUCT(In, Out, Sum) product<In, Out, Sum>(handle, shape, scalar<Sum>(alpha, is_half), a.data, b.data, scalar<Sum>(beta, is_half), c, batch)
  if (is(CUDA_R_32F, CUDA_R_32F)) return PRODUCT(float, float, float);
  if (is(CUDA_R_16F, CUDA_R_16F)) return PRODUCT(__half, __half, float);
  if (is(CUDA_R_16F, CUDA_R_32F)) return PRODUCT(__half, float, float);
  if (is(CUDA_R_16BF, CUDA_R_16BF)) return PRODUCT(__nv_bfloat16, __nv_bfloat16, float);
  if (is(CUDA_R_16BF, CUDA_R_32F)) return PRODUCT(__nv_bfloat16, float, float);
  if (is(CUDA_R_64F, CUDA_R_64F)) return PRODUCT(double, double, double);
  if (is(CUDA_R_8I, CUDA_R_32I)) return PRODUCT(std::int8_t, std::int32_t, std::int32_t);
  if (is(CUDA_C_32F, CUDA_C_32F)) return PRODUCT(complex64, complex64, complex64);
  if (is(CUDA_C_64F, CUDA_C_64F)) return PRODUCT(complex128, complex128, complex128);
#undef PRODUCT
  return kNotSupported;
}

}  // namespace

CUBLAS_API cublasCreate_v2(Handle** handle) {
  *handle = new Handle;
  return kSuccess;
}

CUBLAS_API cublasDestroy_v2(Handle* handle) {
  delete handle;
  return kSuccess;
}

CUBLAS_API cublasGetVersion_v2(Handle*, int* version) {
  *version = 130000;
  return kSuccess;
}

CUBLAS_API cublasSetStream_v2(Handle* handle, cudaStream_t stream) {
  handle->stream = stream;
  return kSuccess;
}

CUBLAS_API cublasGetStream_v2(Handle* handle, cudaStream_t* stream) {
  *stream = handle->stream;
  return kSuccess;
}

CUBLAS_API cublasSetPointerMode_v2(Handle* handle, int mode) {
  handle->pointer_mode = mode;
  return kSuccess;
}

CUBLAS_API cublasGetPointerMode_v2(Handle* handle, int* mode) {
  *mode = handle->pointer_mode;
  return kSuccess;
}

CUBLAS_API cublasSetMathMode(Handle* handle, int mode) {
  handle->math_mode = mode;
  return kSuccess;
}

CUBLAS_API cublasGetMathMode(Handle* handle, int* mode) {
  *mode = handle->math_mode;
  return kSuccess;
}

#define PRODUCTS_OF(letter, T)                                                                                                                 \
  CUBLAS_API cublas##letter##gemm_v2(Handle* h, int ta, int tb, int m, int n, int k, const T* alpha, const T* a, int lda, const T* b, int ldb, \
                                     const T* beta, T* c, int ldc) {                                                                           \
    return product<T, T, T>(h, {ta, tb, m, n, k, lda, ldb, ldc}, *alpha, a, b, *beta, c, {});                                                  \
  }                                                                                                                                            \
  CUBLAS_API cublas##letter##gemmStridedBatched(Handle* h, int ta, int tb, int m, int n, int k, const T* alpha, const T* a, int lda,           \
                                                long long stride_a, const T* b, int ldb, long long stride_b, const T* beta, T* c, int ldc,     \
                                                long long stride_c, int count) {                                                               \
    return product<T, T, T>(h, {ta, tb, m, n, k, lda, ldb, ldc}, *alpha, a, b, *beta, c, {count, stride_a, stride_b, stride_c});               \
  }                                                                                                                                            \
  CUBLAS_API cublas##letter##gemmBatched(Handle* h, int ta, int tb, int m, int n, int k, const T* alpha, const T* const* a, int lda,           \
                                         const T* const* b, int ldb, const T* beta, T* const* c, int ldc, int count) {                         \
    return products_by_pointer<T>(h, {ta, tb, m, n, k, lda, ldb, ldc}, *alpha, a, b, *beta, c, count);                                         \
  }
PRODUCTS_OF(S, float)
PRODUCTS_OF(D, double)
PRODUCTS_OF(C, complex64)
PRODUCTS_OF(Z, complex128)

CUBLAS_API cublasSgemmEx(Handle* h, int ta, int tb, int m, int n, int k, const float* alpha, const void* a, int a_type, int lda, const void* b,
                         int b_type, int ldb, const float* beta, void* c, int c_type, int ldc) {
  return product_by_type(h, {ta, tb, m, n, k, lda, ldb, ldc}, alpha, {a, a_type}, {b, b_type}, beta, c, c_type, CUDA_R_32F, {});
}

CUBLAS_API cublasGemmEx(Handle* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda, const void* b,
                        int b_type, int ldb, const void* beta, void* c, int c_type, int ldc, int compute, int) {
  return product_by_type(h, {ta, tb, m, n, k, lda, ldb, ldc}, alpha, {a, a_type}, {b, b_type}, beta, c, c_type, compute, {});
}

CUBLAS_API cublasGemmStridedBatchedEx(Handle* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda,
                                      long long stride_a, const void* b, int b_type, int ldb, long long stride_b, const void* beta, void* c,
                                      int c_type, int ldc, long long stride_c, int count, int compute, int) {
  return product_by_type(h, {ta, tb, m, n, k, lda, ldb, ldc}, alpha, {a, a_type}, {b, b_type}, beta, c, c_type, compute,
                         {count, stride_a, stride_b, stride_c});
}
