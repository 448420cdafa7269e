// cudart: versions, errors, devices and what they are.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <map>

#include "api.h"
#include "streams.h"

#undef cudaGetDeviceProperties

namespace cudasim {
namespace {

constexpr int kVersion = 13000;  // CUDA 13.0, as what CuPy's wheel was built for

thread_local cudaError_t last_error = cudaSuccess;

// 15 characters; the last byte is the physical device's number
constexpr char kUuid[] = "cudasimemulated";

struct ErrorText {
  cudaError_t code;
  const char* name;
  const char* text;
};
#define ERROR(code, text) {code, #code, text}
constexpr ErrorText kErrors[] = {
    ERROR(cudaSuccess, "no error"),
    ERROR(cudaErrorInvalidValue, "invalid argument"),
    ERROR(cudaErrorMemoryAllocation, "out of memory"),
    ERROR(cudaErrorInitializationError, "initialization error"),
    ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    ERROR(cudaErrorInvalidKernelImage, "device kernel image is invalid"),
    ERROR(cudaErrorDeviceUninitialized, "invalid device context"),
    ERROR(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"),
    ERROR(cudaErrorECCUncorrectable, "uncorrectable ECC error encountered"),
    ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    ERROR(cudaErrorSymbolNotFound, "named symbol not found"),
    ERROR(cudaErrorNotReady, "device not ready"),
    ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    ERROR(cudaErrorLaunchTimeout, "the launch timed out and was terminated"),
    ERROR(cudaErrorPeerAccessAlreadyEnabled, "peer access is already enabled"),
    ERROR(cudaErrorPeerAccessNotEnabled, "peer access has not been enabled"),
    ERROR(cudaErrorHostMemoryAlreadyRegistered, "part or all of the requested memory range is already mapped"),
    ERROR(cudaErrorHostMemoryNotRegistered, "pointer does not correspond to a registered memory region"),
    ERROR(cudaErrorPeerAccessUnsupported, "peer access is not supported between these two devices"),
    ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    ERROR(cudaErrorNotSupported, "operation not supported"),
    ERROR(cudaErrorUnknown, "unknown error"),
};
#undef ERROR

const ErrorText& describe(cudaError_t code) {
  for (const ErrorText& error : kErrors) {
    if (error.code == code) return error;
  }
  return kErrors[std::size(kErrors) - 1];
}

// What a small device of compute capability 8.0 says; anything not here is 0.
int attribute(const Device& device, int which) {
  static const std::map<int, int> values = {
      {cudaDevAttrMaxThreadsPerBlock, 1024},
      {cudaDevAttrMaxBlockDimX, 1024},
      {cudaDevAttrMaxBlockDimY, 1024},
      {cudaDevAttrMaxBlockDimZ, 64},
      {cudaDevAttrMaxGridDimX, 2147483647},
      {cudaDevAttrMaxGridDimY, 65535},
      {cudaDevAttrMaxGridDimZ, 65535},
      {cudaDevAttrMaxSharedMemoryPerBlock, 48 << 10},
      {cudaDevAttrTotalConstantMemory, 64 << 10},
      {cudaDevAttrWarpSize, 32},
      {cudaDevAttrMaxPitch, 2147483647},
      {cudaDevAttrMaxRegistersPerBlock, 65536},
      {cudaDevAttrClockRate, 1500000},
      {cudaDevAttrTextureAlignment, 512},
      {cudaDevAttrGpuOverlap, 1},
      {cudaDevAttrMultiProcessorCount, 8},
      {cudaDevAttrCanMapHostMemory, 1},
      {cudaDevAttrConcurrentKernels, 1},
      {cudaDevAttrMemoryClockRate, 7000000},
      {cudaDevAttrGlobalMemoryBusWidth, 256},
      {cudaDevAttrL2CacheSize, 4 << 20},
      {cudaDevAttrMaxThreadsPerMultiProcessor, 2048},
      {cudaDevAttrAsyncEngineCount, 2},
      {cudaDevAttrUnifiedAddressing, 1},
      {cudaDevAttrComputeCapabilityMajor, 8},
      {cudaDevAttrComputeCapabilityMinor, 0},
      {cudaDevAttrStreamPrioritiesSupported, 1},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, 100 << 10},
      {cudaDevAttrMaxRegistersPerMultiprocessor, 65536},
      {cudaDevAttrManagedMemory, 1},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, 99 << 10},
      {cudaDevAttrHostRegisterSupported, 1},
      {cudaDevAttrMemoryPoolsSupported, 1},
  };
  if (which == cudaDevAttrPciBusId) return device.physical + 1;
  auto found = values.find(which);
  return found == values.end() ? 0 : found->second;
}

void describe(const Device& device, cudaDeviceProp* properties) {
  auto get = [&](int which) { return attribute(device, which); };
  std::memset(properties, 0, sizeof *properties);
  std::snprintf(properties->name, sizeof properties->name, "Emulated CUDA device %d", device.physical);
  std::memcpy(properties->uuid.bytes, kUuid, 15);
  properties->uuid.bytes[15] = static_cast<char>(device.physical);
  properties->totalGlobalMem = device.memory_bytes;
  properties->sharedMemPerBlock = get(cudaDevAttrMaxSharedMemoryPerBlock);
  properties->regsPerBlock = get(cudaDevAttrMaxRegistersPerBlock);
  properties->warpSize = get(cudaDevAttrWarpSize);
  properties->maxThreadsPerBlock = get(cudaDevAttrMaxThreadsPerBlock);
  for (int axis = 0; axis < 3; axis++) {
    properties->maxThreadsDim[axis] = get(cudaDevAttrMaxBlockDimX + axis);
    properties->maxGridSize[axis] = get(cudaDevAttrMaxGridDimX + axis);
  }
  properties->totalConstMem = get(cudaDevAttrTotalConstantMemory);
  properties->major = get(cudaDevAttrComputeCapabilityMajor);
  properties->minor = get(cudaDevAttrComputeCapabilityMinor);
  properties->textureAlignment = get(cudaDevAttrTextureAlignment);
  properties->multiProcessorCount = get(cudaDevAttrMultiProcessorCount);
  properties->canMapHostMemory = get(cudaDevAttrCanMapHostMemory);
  properties->concurrentKernels = get(cudaDevAttrConcurrentKernels);
  properties->pciBusID = get(cudaDevAttrPciBusId);
  properties->memoryBusWidth = get(cudaDevAttrGlobalMemoryBusWidth);
  properties->l2CacheSize = get(cudaDevAttrL2CacheSize);
  properties->maxThreadsPerMultiProcessor = get(cudaDevAttrMaxThreadsPerMultiProcessor);
  properties->asyncEngineCount = get(cudaDevAttrAsyncEngineCount);
  properties->unifiedAddressing = get(cudaDevAttrUnifiedAddressing);
  properties->sharedMemPerMultiprocessor = get(cudaDevAttrMaxSharedMemoryPerMultiprocessor);
  properties->regsPerMultiprocessor = get(cudaDevAttrMaxRegistersPerMultiprocessor);
  properties->sharedMemPerBlockOptin = get(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  properties->managedMemory = get(cudaDevAttrManagedMemory);
  properties->memoryPoolsSupported = get(cudaDevAttrMemoryPoolsSupported);
}

}  // namespace

cudaError_t keep_error(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

}  // namespace cudasim

using namespace cudasim;

CUDASIM_API const char* cudaGetErrorName(cudaError_t error) { return describe(error).name; }

CUDASIM_API const char* cudaGetErrorString(cudaError_t error) { return describe(error).text; }

CUDASIM_API cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

CUDASIM_API cudaError_t cudaDriverGetVersion(int* version) {
  return enter(__func__, [&] {
    *version = kVersion;
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

CUDASIM_API cudaError_t cudaGetDeviceCount(int* count) {
  return enter(__func__, [&] {
    *count = device_count();
    return *count ? cudaSuccess : cudaErrorNoDevice;
  });
}

CUDASIM_API cudaError_t cudaGetDevice(int* ordinal) {
  return enter(__func__, [&] {
    *ordinal = current_ordinal();
    return device_count() ? cudaSuccess : cudaErrorNoDevice;
  });
}

CUDASIM_API cudaError_t cudaSetDevice(int ordinal) {
  return enter_device(__func__, ordinal, [&](Device& chosen) {
    choose_device(chosen);
    return outcome(chosen);
  });
}

CUDASIM_API cudaError_t cudaDeviceSynchronize() {
  return enter_current(__func__, [&](Device& current) {
    wait_for_device(current);
    return outcome(current);
  });
}

CUDASIM_API cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int ordinal) {
  return enter_device(__func__, ordinal, [&](Device& asked) {
    *value = attribute(asked, which);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int ordinal) {
  return enter_device(__func__, ordinal, [&](Device& asked) {
    describe(asked, properties);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaDeviceGetPCIBusId(char* text, int size, int ordinal) {
  return enter_device(__func__, ordinal, [&](Device& asked) {
    std::snprintf(text, size, "0000:%02X:00.0", asked.physical + 1);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaDeviceGetByPCIBusId(int* ordinal, const char* text) {
  return enter(__func__, [&] {
    unsigned domain, bus;
    if (std::sscanf(text, "%x:%x", &domain, &bus) != 2) return cudaErrorInvalidValue;
    for (int i = 0; i < device_count(); i++) {
      if (domain == 0 && static_cast<unsigned>(device(i).physical) + 1 == bus) {
        *ordinal = i;
        return cudaSuccess;
      }
    }
    return cudaErrorInvalidDevice;
  });
}

CUDASIM_API cudaError_t cudaDeviceCanAccessPeer(int* can, int ordinal, int peer) {
  return enter_device(__func__, ordinal, [&](Device&) {
    if (peer < 0 || peer >= device_count()) return cudaErrorInvalidDevice;
    *can = settings().peer && ordinal != peer;
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  return enter_current(__func__, [&](Device& current) {
    if (peer < 0 || peer >= device_count() || peer == current.ordinal) return cudaErrorInvalidDevice;
    if (!settings().peer) return cudaErrorPeerAccessUnsupported;
    std::lock_guard<std::mutex> guard(current.lock);
    return current.peers.insert(peer).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
  });
}

CUDASIM_API cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return enter_current(__func__, [&](Device& current) {
    std::lock_guard<std::mutex> guard(current.lock);
    return current.peers.erase(peer) ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
  });
}

CUDASIM_API cudaError_t cudaProfilerStart() { return cudaSuccess; }

CUDASIM_API cudaError_t cudaProfilerStop() { return cudaSuccess; }
