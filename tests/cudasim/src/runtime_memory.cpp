// cudart: allocation, copies, fills. What waits for what follows the runtime API's section "API synchronization behavior":
//
//     from pageable memory            the source may be reused at return, the copy may still be on its way
//     to pageable memory              returns when the copy is done
//     host to host                    returns when the copy is done
//     device to device                returns at once, even without Async
//     pinned, with Async              returns at once
//     pinned, without Async           returns when the copy is done
//     fill                            returns at once; of pinned or managed memory: when done, without Async
#include <cuda_runtime_api.h>

#include <cstring>
#include <string>

#include "api.h"
#include "memory.h"
#include "streams.h"

using namespace cudasim;

namespace {

enum class Side { kDevice, kPinned, kPageable };

// What an address is; false if size_bytes from there leave the allocation it lies in.
bool classify(const void* address, size_t size_bytes, Side* side, Memory* kind = nullptr) {
  auto found = find_allocation(address);
  if (!found) {
    *side = Side::kPageable;
    return true;
  }
  *side = found->is_host() ? Side::kPinned : Side::kDevice;
  if (kind) *kind = found->kind;
  return size_bytes <= found->size_bytes - (reinterpret_cast<uintptr_t>(address) - found->address);
}

bool is_device_to_be(cudaMemcpyKind kind, bool source) {
  return kind == cudaMemcpyDeviceToDevice || kind == (source ? cudaMemcpyDeviceToHost : cudaMemcpyHostToDevice);
}

const char* direction(Side target, Side source) {
  if (target == Side::kDevice) return source == Side::kDevice ? "DtoD" : "HtoD";
  return source == Side::kDevice ? "DtoH" : "HtoH";
}

// Faults count a copy under its function's name and again with its direction; what fails on the stream goes by the latter.
const char* name_of_copy(bool is_async, const char* direction) {
  static const char* const names[][4] = {{"cudaMemcpy.DtoD", "cudaMemcpy.HtoD", "cudaMemcpy.DtoH", "cudaMemcpy.HtoH"},
                                         {"cudaMemcpyAsync.DtoD", "cudaMemcpyAsync.HtoD", "cudaMemcpyAsync.DtoH", "cudaMemcpyAsync.HtoH"}};
  for (const char* name : names[is_async]) {
    if (std::strstr(name, direction)) return name;
  }
  return "";
}

cudaError_t copy(Device& current, void* target, const void* source, size_t size_bytes, cudaMemcpyKind kind, cudaStream_t handle, bool is_async) {
  StreamPtr stream = find_stream(handle, current);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (size_bytes == 0) return cudaSuccess;
  Side to, from;
  if (!classify(target, size_bytes, &to) || !classify(source, size_bytes, &from)) return cudaErrorInvalidValue;
  if (is_device_to_be(kind, false) && to == Side::kPageable) return cudaErrorInvalidValue;
  if (is_device_to_be(kind, true) && from == Side::kPageable) return cudaErrorInvalidValue;
  const char* name = name_of_copy(is_async, direction(to, from));
  if (int code = fault(name)) return static_cast<cudaError_t>(code);

  Moment done;
  if (from == Side::kPageable) {
    auto staged = std::make_shared<std::string>(static_cast<const char*>(source), size_bytes);
    done = issue(stream, name, [=] { std::memcpy(target, staged->data(), size_bytes); });
  } else {
    done = issue(stream, name, [=] { std::memmove(target, source, size_bytes); });
  }
  const bool is_host_to_host = to != Side::kDevice && from != Side::kDevice;
  const bool is_waited_for = to == Side::kPageable || is_host_to_host || (!is_async && (to == Side::kPinned || from == Side::kPinned));
  if (!is_waited_for) return cudaSuccess;
  wait_for(done);
  return outcome(stream->device);
}

cudaError_t fill(Device& current, void* target, int value, size_t size_bytes, cudaStream_t handle, const char* name, bool is_async) {
  StreamPtr stream = find_stream(handle, current);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (size_bytes == 0) return cudaSuccess;
  Side side;
  Memory kind = Memory::kDevice;
  if (!classify(target, size_bytes, &side, &kind) || side == Side::kPageable) return cudaErrorInvalidValue;
  Moment done = issue(stream, name, [=] { std::memset(target, value, size_bytes); });
  if (is_async || kind == Memory::kDevice) return cudaSuccess;
  wait_for(done);
  return outcome(stream->device);
}

cudaError_t allocate_into(void** out, Device& device, Memory kind, size_t size_bytes, unsigned flags = 0) {
  *out = nullptr;
  if (size_bytes == 0) return cudaSuccess;
  *out = allocate(device, kind, size_bytes, flags);
  return *out ? cudaSuccess : cudaErrorMemoryAllocation;
}

// Waits for the device first, as the real one does: work in flight may still use the memory.
cudaError_t release_when_idle(Device& current, void* address, Memory kind, cudaError_t otherwise) {
  if (!address) return cudaSuccess;
  auto found = find_allocation(address);
  Device& owner = found ? *found->device : current;
  wait_for_device(owner);
  if (!release(address, kind)) return otherwise;
  return outcome(owner);
}

}  // namespace

CUDASIM_API cudaError_t cudaMalloc(void** out, size_t size_bytes) {
  return enter_current(__func__, [&](Device& current) { return allocate_into(out, current, Memory::kDevice, size_bytes); });
}

CUDASIM_API cudaError_t cudaMallocManaged(void** out, size_t size_bytes, unsigned) {
  return enter_current(__func__, [&](Device& current) { return allocate_into(out, current, Memory::kManaged, size_bytes); });
}

CUDASIM_API cudaError_t cudaFree(void* address) {
  return enter_current(__func__, [&](Device& current) {
    auto found = find_allocation(address);
    return release_when_idle(current, address, found ? found->kind : Memory::kDevice, cudaErrorInvalidValue);
  });
}

CUDASIM_API cudaError_t cudaHostAlloc(void** out, size_t size_bytes, unsigned flags) {
  return enter_current(__func__, [&](Device& current) { return allocate_into(out, current, Memory::kPinned, size_bytes, flags); });
}

CUDASIM_API cudaError_t cudaFreeHost(void* address) {
  return enter_current(__func__, [&](Device& current) { return release_when_idle(current, address, Memory::kPinned, cudaErrorInvalidValue); });
}

CUDASIM_API cudaError_t cudaHostRegister(void* address, size_t size_bytes, unsigned flags) {
  return enter_current(__func__, [&](Device& current) {
    if (!address || size_bytes == 0) return cudaErrorInvalidValue;
    return register_memory(current, address, size_bytes, flags) ? cudaSuccess : cudaErrorHostMemoryAlreadyRegistered;
  });
}

CUDASIM_API cudaError_t cudaHostUnregister(void* address) {
  return enter_current(__func__,
                       [&](Device& current) { return release_when_idle(current, address, Memory::kRegistered, cudaErrorHostMemoryNotRegistered); });
}

CUDASIM_API cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  return enter_current(__func__, [&](Device& current) {
    std::lock_guard<std::mutex> guard(current.lock);
    *free_bytes = current.memory_bytes - current.used_bytes;
    *total_bytes = current.memory_bytes;
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaMemcpy(void* target, const void* source, size_t size_bytes, cudaMemcpyKind kind) {
  return enter_current(__func__, [&](Device& current) { return copy(current, target, source, size_bytes, kind, cudaStreamLegacy, false); });
}

CUDASIM_API cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t size_bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return enter_current(__func__, [&](Device& current) { return copy(current, target, source, size_bytes, kind, stream, true); });
}

CUDASIM_API cudaError_t cudaMemcpyPeer(void* target, int target_device, const void* source, int source_device, size_t size_bytes) {
  return enter_current(__func__, [&](Device& current) {
    for (int ordinal : {target_device, source_device}) {
      if (ordinal < 0 || ordinal >= device_count()) return cudaErrorInvalidDevice;
      wait_for_device(device(ordinal));  // ordered after all earlier work of both
    }
    return copy(current, target, source, size_bytes, cudaMemcpyDeviceToDevice, cudaStreamLegacy, false);
  });
}

CUDASIM_API cudaError_t cudaMemcpyPeerAsync(void* target, int, const void* source, int, size_t size_bytes, cudaStream_t stream) {
  return enter_current(__func__, [&](Device& current) { return copy(current, target, source, size_bytes, cudaMemcpyDeviceToDevice, stream, true); });
}

CUDASIM_API cudaError_t cudaMemset(void* target, int value, size_t size_bytes) {
  return enter_current(__func__, [&](Device& current) { return fill(current, target, value, size_bytes, cudaStreamLegacy, "cudaMemset", false); });
}

CUDASIM_API cudaError_t cudaMemsetAsync(void* target, int value, size_t size_bytes, cudaStream_t stream) {
  return enter_current(__func__, [&](Device& current) { return fill(current, target, value, size_bytes, stream, "cudaMemsetAsync", true); });
}

CUDASIM_API cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  return enter(__func__, [&] {
    *attributes = {};
    auto found = find_allocation(address);
    if (!found) {
      attributes->type = cudaMemoryTypeUnregistered;
      attributes->device = -1;
      attributes->hostPointer = const_cast<void*>(address);
      return cudaSuccess;
    }
    attributes->type = found->is_host() ? cudaMemoryTypeHost : found->kind == Memory::kManaged ? cudaMemoryTypeManaged : cudaMemoryTypeDevice;
    attributes->device = found->device->ordinal;
    attributes->devicePointer = const_cast<void*>(address);
    attributes->hostPointer = found->kind == Memory::kDevice ? nullptr : const_cast<void*>(address);
    return cudaSuccess;
  });
}

// Stream-ordered allocation. A device has one pool, the device itself; it keeps nothing back.

CUDASIM_API cudaError_t cudaMallocAsync(void** out, size_t size_bytes, cudaStream_t handle) {
  return enter_current(__func__, [&](Device& current) {
    StreamPtr stream = find_stream(handle, current);
    return stream ? allocate_into(out, stream->device, Memory::kDevice, size_bytes) : cudaErrorInvalidResourceHandle;
  });
}

CUDASIM_API cudaError_t cudaMallocFromPoolAsync(void** out, size_t size_bytes, cudaMemPool_t, cudaStream_t handle) {
  return cudaMallocAsync(out, size_bytes, handle);
}

CUDASIM_API cudaError_t cudaFreeAsync(void* address, cudaStream_t handle) {
  return enter_current(__func__, [&](Device& current) {
    StreamPtr stream = find_stream(handle, current);
    auto found = find_allocation(address);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (!found || found->kind != Memory::kDevice || found->address != reinterpret_cast<uintptr_t>(address)) return cudaErrorInvalidValue;
    issue(stream, "cudaFreeAsync", [=] { release(address, Memory::kDevice); });
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int ordinal) {
  return enter_device(__func__, ordinal, [&](Device& asked) {
    *pool = reinterpret_cast<cudaMemPool_t>(&asked);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int ordinal) { return cudaDeviceGetMemPool(pool, ordinal); }

CUDASIM_API cudaError_t cudaDeviceSetMemPool(int, cudaMemPool_t) { return cudaSuccess; }

CUDASIM_API cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }

CUDASIM_API cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr which, void* value) {
  return enter(__func__, [&] {
    auto& owner = *reinterpret_cast<Device*>(pool);
    std::lock_guard<std::mutex> guard(owner.lock);
    if (which == cudaMemPoolAttrReleaseThreshold) owner.pool_threshold = *static_cast<uint64_t*>(value);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr which, void* value) {
  return enter(__func__, [&] {
    auto& asked = *reinterpret_cast<Device*>(pool);
    if (which < cudaMemPoolAttrReleaseThreshold) {
      *static_cast<int*>(value) = 1;  // the reuse policies
      return cudaSuccess;
    }
    std::lock_guard<std::mutex> guard(asked.lock);
    *static_cast<uint64_t*>(value) = which == cudaMemPoolAttrReleaseThreshold ? asked.pool_threshold : asked.used_bytes;
    return cudaSuccess;
  });
}
