// The kernels' side: makes CUDA C++ compile with g++ and run on the CPU.
//
// A kernel that never synchronises is a loop over its threads. In one that does, every thread of a block is a fiber; at a
// barrier a fiber parks and the next one runs, and when all have parked the barrier opens. Blocks run one after the other,
// on the worker thread of the stream, which is why everything "static" here is thread_local.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <vector_types.h>
#include <vector_functions.h>
#include <crt/host_defines.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>

#include "kernel.h"

#define __CUDACC_VER_MAJOR__ 13  // has CuPy's float16.cuh take cuda_fp16.h
#undef __shared__
#define __shared__ static thread_local
#undef __constant__
#define __constant__
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __forceinline__
#define __forceinline__ inline
#undef __noinline__
#define __noinline__ __attribute__((noinline))
#undef __grid_constant__
#define __grid_constant__

namespace cudasim {

// Where the running thread of the kernel is. One variable, so that its address is found once.
struct Position {
  uint3 thread, block;
  dim3 block_size, grid_size;
};
inline thread_local Position here;

inline thread_local char* dynamic_shared;  // what `extern __shared__ T name[]` becomes a pointer to (nvrtc.cpp)

constexpr unsigned kWarp = 32;
constexpr std::size_t kFiberStackBytes = 64 << 10;

enum class State { kReady, kAtBlockBarrier, kAtWarpBarrier, kFinished };

struct Fiber {
  ucontext_t context;
  std::vector<char> stack;
  uint3 index;
  State state;
};

// One block of a kernel that synchronises.
class Block {
 public:
  void run(unsigned threads, void (*body)(void*), void* argument) {
    body_ = body;
    argument_ = argument;
    if (fibers_.size() < threads) fibers_.resize(threads);
    for (unsigned i = 0; i < threads; i++) prepare(i);
    current() = this;
    while (run_ready(threads) || open_warp_barriers(threads) || open_block_barrier(threads)) {
    }
    current() = nullptr;
  }

  // The running block of this worker thread, or null while a kernel runs that was found never to synchronise.
  static Block*& current() {
    static thread_local Block* block = nullptr;
    return block;
  }

  static void park(State state) {
    Block* block = current();
    Fiber& fiber = block->fibers_[block->running_];
    fiber.state = state;
    swapcontext(&fiber.context, &block->scheduler_);
  }

  unsigned lane() const { return running_ % kWarp; }

  // Every thread of the warp gives a value and gets that of another lane.
  template <class T>
  T exchange(T value, unsigned lane) {
    static_assert(sizeof(T) <= sizeof exchanged_[0]);
    const unsigned me = running_;
    std::memcpy(&exchanged_[me], &value, sizeof value);
    park(State::kAtWarpBarrier);
    std::memcpy(&value, &exchanged_[me / kWarp * kWarp + lane % kWarp], sizeof value);
    park(State::kAtWarpBarrier);
    return value;
  }

 private:
  void prepare(unsigned number) {
    Fiber& fiber = fibers_[number];
    fiber.stack.resize(kFiberStackBytes);
    fiber.state = State::kReady;
    fiber.index =
        make_uint3(number % here.block_size.x, number / here.block_size.x % here.block_size.y, number / here.block_size.x / here.block_size.y);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, start, 0);
  }

  static void start() {
    current()->body_(current()->argument_);
    park(State::kFinished);
  }

  bool run_ready(unsigned threads) {
    bool any = false;
    for (unsigned i = 0; i < threads; i++) {
      if (fibers_[i].state != State::kReady) continue;
      any = true;
      running_ = i;
      here.thread = fibers_[i].index;
      swapcontext(&scheduler_, &fibers_[i].context);
    }
    return any;
  }

  // A warp's barrier opens when all its threads that still run have come to it.
  bool open_warp_barriers(unsigned threads) {
    bool any = false;
    for (unsigned first = 0; first < threads; first += kWarp) {
      any |= open(first, std::min(threads, first + kWarp), State::kAtWarpBarrier);
    }
    return any;
  }

  // REQUIRES: no thread is ready. Then either all have finished, or all the others are here, or the kernel can never go on.
  bool open_block_barrier(unsigned threads) {
    if (open(0, threads, State::kAtBlockBarrier)) return true;
    for (unsigned i = 0; i < threads; i++) {
      if (fibers_[i].state == State::kFinished) continue;
      std::fprintf(stderr, "[cudasim, emulated] a kernel's threads wait at different barriers: it would never end\n");
      std::abort();
    }
    return false;
  }

  bool open(unsigned first, unsigned last, State barrier) {
    bool any = false;
    for (unsigned i = first; i < last; i++) {
      if (fibers_[i].state == barrier)
        any = true;
      else if (fibers_[i].state != State::kFinished)
        return false;
    }
    for (unsigned i = first; i < last; i++) {
      if (fibers_[i].state == barrier) fibers_[i].state = State::kReady;
    }
    return any;
  }

  std::vector<Fiber> fibers_;
  ucontext_t scheduler_;
  unsigned running_ = 0;
  void (*body_)(void*);
  void* argument_;
  unsigned long long exchanged_[1024];
};

// Runs body() once per thread of the grid.
template <class Body>
void run_grid(const Launch& launch, bool has_barriers, Body body) {
  static thread_local Block block;
  std::vector<std::max_align_t> shared(launch.shared_bytes / sizeof(std::max_align_t) + 1);
  dynamic_shared = reinterpret_cast<char*>(shared.data());
  here.grid_size = dim3(launch.grid[0], launch.grid[1], launch.grid[2]);
  here.block_size = dim3(launch.block[0], launch.block[1], launch.block[2]);
  for (unsigned z = 0; z < here.grid_size.z; z++) {
    for (unsigned y = 0; y < here.grid_size.y; y++) {
      for (unsigned x = 0; x < here.grid_size.x; x++) {
        here.block = make_uint3(x, y, z);
        if (has_barriers) {
          block.run(here.block_size.x * here.block_size.y * here.block_size.z, [](void* argument) { (*static_cast<Body*>(argument))(); }, &body);
          continue;
        }
        for (unsigned c = 0; c < here.block_size.z; c++) {
          for (unsigned b = 0; b < here.block_size.y; b++) {
            for (unsigned a = 0; a < here.block_size.x; a++) {
              here.thread = make_uint3(a, b, c);
              body();
            }
          }
        }
      }
    }
  }
}

// The Kernel (kernel.h) of a __global__ function.
template <auto Function, bool has_barriers>
struct Entry;

template <class... Parameters, void (*Function)(Parameters...), bool has_barriers>
struct Entry<Function, has_barriers> {
  template <std::size_t... I>
  static void call(void** parameters, std::index_sequence<I...>) {
    Function(*static_cast<std::remove_cv_t<std::remove_reference_t<Parameters>>*>(parameters[I])...);
  }

  static void run(const Launch& launch, void** parameters) {
    run_grid(launch, has_barriers, [parameters] { call(parameters, std::index_sequence_for<Parameters...>()); });
  }

  static constexpr unsigned bytes[sizeof...(Parameters) + 1] = {sizeof(Parameters)..., 0};
};

template <class T, class Change>
inline T atomically(T* address, Change change) {
  T before = *address, after;
  do {
    after = change(before);
  } while (!__atomic_compare_exchange(address, &before, &after, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return before;
}

template <class To, class From>
inline To reinterpret(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace cudasim

#define CUDASIM_KERNEL(name, has_barriers, ...)                                                                                       \
  extern "C" __attribute__((visibility("default"))) const cudasim::Kernel cudasim_kernel_##name = {                                   \
      cudasim::Entry<__VA_ARGS__, has_barriers>::run, sizeof cudasim::Entry<__VA_ARGS__, has_barriers>::bytes / sizeof(unsigned) - 1, \
      cudasim::Entry<__VA_ARGS__, has_barriers>::bytes}

#define threadIdx (cudasim::here.thread)
#define blockIdx (cudasim::here.block)
#define blockDim (cudasim::here.block_size)
#define gridDim (cudasim::here.grid_size)
#define warpSize 32

// Barriers and fences

inline void __syncthreads() { cudasim::Block::park(cudasim::State::kAtBlockBarrier); }
inline void __syncwarp(unsigned = ~0u) { cudasim::Block::park(cudasim::State::kAtWarpBarrier); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

// Exchanges within a warp, always 32 lanes wide

template <class T>
inline T __shfl_sync(unsigned, T value, int lane, int = 32) {
  return cudasim::Block::current()->exchange(value, lane);
}
template <class T>
inline T __shfl_xor_sync(unsigned, T value, int mask, int = 32) {
  return cudasim::Block::current()->exchange(value, cudasim::Block::current()->lane() ^ mask);
}
template <class T>
inline T __shfl_down_sync(unsigned, T value, unsigned delta, int = 32) {
  const unsigned lane = cudasim::Block::current()->lane();
  return cudasim::Block::current()->exchange(value, lane + delta < 32 ? lane + delta : lane);
}
template <class T>
inline T __shfl_up_sync(unsigned, T value, unsigned delta, int = 32) {
  const unsigned lane = cudasim::Block::current()->lane();
  return cudasim::Block::current()->exchange(value, lane >= delta ? lane - delta : lane);
}

// Atomics

#define CUDASIM_ATOMIC(name, after)                                                \
  template <class T, class U>                                                      \
  inline T name(T* address, U given) {                                             \
    const T value = static_cast<T>(given);                                         \
    return cudasim::atomically(address, [value](T before) -> T { return after; }); \
  }
CUDASIM_ATOMIC(atomicAdd, before + value)
CUDASIM_ATOMIC(atomicSub, before - value)
CUDASIM_ATOMIC(atomicMax, before < value ? value : before)
CUDASIM_ATOMIC(atomicMin, value < before ? value : before)
CUDASIM_ATOMIC(atomicAnd, before& value)
CUDASIM_ATOMIC(atomicOr, before | value)
CUDASIM_ATOMIC(atomicXor, before ^ value)
CUDASIM_ATOMIC(atomicExch, ((void)before, value))
#undef CUDASIM_ATOMIC

template <class T, class U, class V>
inline T atomicCAS(T* address, U expected, V wanted) {
  return cudasim::atomically(address, [=](T before) { return before == static_cast<T>(expected) ? static_cast<T>(wanted) : before; });
}

// Intrinsics

template <class T>
inline T __ldg(const T* address) {
  return *address;
}
inline float __int_as_float(int bits) { return cudasim::reinterpret<float>(bits); }
inline int __float_as_int(float value) { return cudasim::reinterpret<int>(value); }
inline float __uint_as_float(unsigned bits) { return cudasim::reinterpret<float>(bits); }
inline unsigned __float_as_uint(float value) { return cudasim::reinterpret<unsigned>(value); }
inline double __longlong_as_double(long long bits) { return cudasim::reinterpret<double>(bits); }
inline long long __double_as_longlong(double value) { return cudasim::reinterpret<long long>(value); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
inline int __clz(int bits) { return bits ? __builtin_clz(bits) : 32; }
inline int __clzll(long long bits) { return bits ? __builtin_clzll(bits) : 64; }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }
inline float rsqrtf(float value) { return 1 / std::sqrt(value); }
inline double rsqrt(double value) { return 1 / std::sqrt(value); }
using std::abs;  // or C's takes a float for an int, as in thrust's division of complex numbers
using std::isfinite;
using std::isinf;
using std::isnan;
using std::max;
using std::min;
using std::nextafter;  // a float's neighbour is not a double's
using std::signbit;
