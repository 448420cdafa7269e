// cudart: streams, events, host functions.
#include <cuda_runtime_api.h>

#include "api.h"
#include "events.h"
#include "streams.h"

using namespace cudasim;

namespace {

// body: (const StreamPtr&) -> cudaError_t
template <class Body>
cudaError_t with_stream(const char* name, cudaStream_t handle, Body body) {
  return enter_current(name, [&](Device& current) {
    StreamPtr stream = find_stream(handle, current);
    return stream ? body(stream) : cudaErrorInvalidResourceHandle;
  });
}

// body: (const Event&) -> cudaError_t
template <class Body>
cudaError_t with_event(const char* name, cudaEvent_t handle, Body body) {
  return enter_current(name, [&](Device&) {
    auto event = find_event(handle);
    return event ? body(*event) : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t answer(const Moment& moment, const Device& device) { return is_reached(moment) ? outcome(device) : cudaErrorNotReady; }

}  // namespace

CUDASIM_API cudaError_t cudaStreamCreateWithPriority(cudaStream_t* out, unsigned flags, int priority) {
  return enter_current(__func__, [&](Device& current) {
    if (flags & ~cudaStreamNonBlocking) return cudaErrorInvalidValue;
    *out = create_stream(current, flags, priority);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags) { return cudaStreamCreateWithPriority(out, flags, 0); }

CUDASIM_API cudaError_t cudaStreamCreate(cudaStream_t* out) { return cudaStreamCreateWithPriority(out, cudaStreamDefault, 0); }

CUDASIM_API cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return enter(__func__, [&] { return destroy_stream(handle) ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

CUDASIM_API cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) {
    *flags = stream->flags;
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) {
    *priority = stream->priority;
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) {
    wait_for(issue(stream, "cudaStreamSynchronize", nullptr));  // an operation: in the legacy stream it waits for the others
    return outcome(stream->device);
  });
}

CUDASIM_API cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) { return answer(tail(stream), stream->device); });
}

CUDASIM_API cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) {
    auto event = find_event(event_handle);
    if (!event) return cudaErrorInvalidResourceHandle;
    issue(stream, "cudaStreamWaitEvent", nullptr, event->moment);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaStreamAddCallback(cudaStream_t handle, cudaStreamCallback_t callback, void* argument, unsigned) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) {
    issue(stream, "cudaStreamAddCallback", [=] { callback(handle, cudaSuccess, argument); });
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* argument) {
  return with_stream(__func__, handle, [&](const StreamPtr& stream) {
    issue(stream, "cudaLaunchHostFunc", [=] { function(argument); });
    return cudaSuccess;
  });
}

// CuPy asks this before it frees memory; graphs are not emulated, so no stream ever records one.
CUDASIM_API cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

CUDASIM_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned flags) {
  return enter_current(__func__, [&](Device& current) {
    *out = create_event(current, flags);
    return cudaSuccess;
  });
}

CUDASIM_API cudaError_t cudaEventCreate(cudaEvent_t* out) { return cudaEventCreateWithFlags(out, cudaEventDefault); }

CUDASIM_API cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return enter(__func__, [&] { return destroy_event(handle) ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

CUDASIM_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  return with_stream(__func__, handle,
                     [&](const StreamPtr& stream) { return record_event(event, stream) ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

CUDASIM_API cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return with_event(__func__, handle, [&](const Event& event) { return answer(event.moment, event.device); });
}

CUDASIM_API cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return with_event(__func__, handle, [&](const Event& event) {
    wait_for(event.moment);
    return outcome(event.device);
  });
}

CUDASIM_API cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return with_event(__func__, start, [&](const Event& first) {
    auto last = find_event(end);
    if (!last || !first.time || !last->time || ((first.flags | last->flags) & cudaEventDisableTiming)) return cudaErrorInvalidResourceHandle;
    if (!is_reached(first.moment) || !is_reached(last->moment)) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(*last->time - *first.time).count();
    return cudaSuccess;
  });
}
