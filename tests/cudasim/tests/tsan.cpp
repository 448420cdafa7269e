// Drives the runtime from many threads at once, for ThreadSanitizer (build.py --tsan), with and without lazy mode and delays.
#include <cuda_runtime_api.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

extern "C" {
int cudasim_configure(const char* name, long value);
int cudasim_fail(const char* specification);
void cudasim_recover();
long cudasim_count(const char* what);
}

namespace {

constexpr int kThreads = 6;
constexpr int kRounds = 30;
constexpr size_t kBytes = 4096;

void check_at(bool holds, const char* what, int line) {
  if (holds) return;
  std::fprintf(stderr, "tsan.cpp:%d: %s\n", line, what);
  std::_Exit(1);
}
#define CHECK(condition) check_at((condition), #condition, __LINE__)
#define OK(call) CHECK((call) == cudaSuccess)

// Up on one stream, across devices on another, down on a third; ordered by events only.
void copy_around(int number) {
  const int here = number % 2, there = 1 - here;
  cudaStream_t up, across, down;
  cudaEvent_t arrived, crossed;
  char *source, *target, *first, *second;
  OK(cudaSetDevice(there));
  OK(cudaMalloc(reinterpret_cast<void**>(&second), kBytes));
  OK(cudaSetDevice(here));
  OK(cudaMalloc(reinterpret_cast<void**>(&first), kBytes));
  OK(cudaHostAlloc(reinterpret_cast<void**>(&source), kBytes, 0));
  OK(cudaHostAlloc(reinterpret_cast<void**>(&target), kBytes, 0));
  for (cudaStream_t* stream : {&up, &across, &down}) OK(cudaStreamCreateWithFlags(stream, number % 3 ? cudaStreamNonBlocking : cudaStreamDefault));
  for (cudaEvent_t* event : {&arrived, &crossed}) OK(cudaEventCreate(event));
  for (int round = 0; round < kRounds; round++) {
    std::memset(source, round, kBytes);
    OK(cudaMemcpyAsync(first, source, kBytes, cudaMemcpyHostToDevice, up));
    OK(cudaEventRecord(arrived, up));
    OK(cudaStreamWaitEvent(across, arrived, 0));
    OK(cudaMemcpyPeerAsync(second, there, first, here, kBytes, across));
    OK(cudaEventRecord(crossed, across));
    OK(cudaStreamWaitEvent(down, crossed, 0));
    OK(cudaMemcpyAsync(target, second, kBytes, cudaMemcpyDeviceToHost, down));
    if (round % 2) {
      OK(cudaStreamSynchronize(down));
    } else {
      while (cudaStreamQuery(down) == cudaErrorNotReady) std::this_thread::yield();
    }
    for (size_t i = 0; i < kBytes; i++) CHECK(target[i] == static_cast<char>(round));
    float milliseconds;
    OK(cudaEventElapsedTime(&milliseconds, arrived, crossed));
  }
  for (cudaStream_t stream : {up, across, down}) OK(cudaStreamDestroy(stream));
  for (cudaEvent_t event : {arrived, crossed}) OK(cudaEventDestroy(event));
  OK(cudaFree(first));
  OK(cudaFree(second));
  OK(cudaFreeHost(source));
  OK(cudaFreeHost(target));
}

// The default streams of all threads, which wait for each other.
void use_default_streams(int number) {
  OK(cudaSetDevice(number % 2));
  void* memory;
  int host = 0;
  OK(cudaMalloc(&memory, sizeof host));
  for (int round = 0; round < kRounds; round++) {
    const cudaStream_t stream = round % 2 ? cudaStreamLegacy : cudaStreamPerThread;
    OK(cudaMemcpyAsync(memory, &round, sizeof round, cudaMemcpyHostToDevice, stream));
    OK(cudaMemcpyAsync(&host, memory, sizeof host, cudaMemcpyDeviceToHost, stream));
    CHECK(host == round);
  }
  OK(cudaFree(memory));
}

// Host functions, on streams that are destroyed before they have run.
void call_host(int number) {
  OK(cudaSetDevice(number % 2));
  std::atomic<int> calls{0};
  for (int round = 0; round < kRounds; round++) {
    cudaStream_t stream;
    OK(cudaStreamCreate(&stream));
    OK(cudaLaunchHostFunc(stream, [](void* argument) { ++*static_cast<std::atomic<int>*>(argument); }, &calls));
    OK(cudaStreamDestroy(stream));
  }
  OK(cudaDeviceSynchronize());
  CHECK(calls == kRounds);
}

void on_all_threads(void (*body)(int)) {
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; number++) threads.emplace_back(body, number);
  for (std::thread& thread : threads) thread.join();
}

void lose_a_device() {
  cudaStream_t stream;
  OK(cudaStreamCreate(&stream));
  CHECK(cudasim_fail("async/cudaLaunchHostFunc:1:719") == 0);
  OK(cudaLaunchHostFunc(stream, [](void*) {}, nullptr));
  CHECK(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  CHECK(cudasim_fail("") == 0);
  cudasim_recover();
  OK(cudaStreamDestroy(stream));
  OK(cudaDeviceSynchronize());
}

}  // namespace

int main() {
  const struct {
    long lazy_ms, delay_us;
  } modes[] = {{0, 0}, {2000, 0}, {0, 200}};
  for (const auto& mode : modes) {
    CHECK(cudasim_configure("LAZY_MS", mode.lazy_ms) == 0);
    CHECK(cudasim_configure("DELAY_US", mode.delay_us) == 0);
    on_all_threads(copy_around);
    on_all_threads(use_default_streams);
    on_all_threads(call_host);
    lose_a_device();
  }
  for (int wait = 0; wait < 1000 && cudasim_count("workers") > 0; wait++) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (const char* what : {"streams", "events", "workers", "operations", "device_allocations", "pinned_allocations"}) {
    if (cudasim_count(what) == 0) continue;
    std::fprintf(stderr, "%ld %s left\n", cudasim_count(what), what);
    return 1;
  }
  std::puts("emulated runtime: no data race, nothing left");
  return 0;
}
