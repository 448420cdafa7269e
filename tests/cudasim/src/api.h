// What every entry point of the runtime does first: say it was called, refuse in a forked process, fail if a fault was ordered,
// and afterwards keep the thread's last error. An entry point is then one call of enter() with what is its own.
#pragma once

#include <driver_types.h>

#include "devices.h"
#include "faults.h"
#include "settings.h"

#define CUDASIM_API extern "C" __attribute__((visibility("default")))

namespace cudasim {

// Keeps an error for cudaGetLastError and returns it; "not ready" is an answer, no error.
cudaError_t keep_error(cudaError_t error);

// body: () -> cudaError_t. For calls that need no device.
template <class Body>
cudaError_t enter(const char* name, Body body) {
  if (is_forked()) return keep_error(cudaErrorInitializationError);
  if (settings().log >= 2) say("%s", name);
  if (int code = fault(name)) return keep_error(static_cast<cudaError_t>(code));
  return keep_error(body());
}

// body: (Device&) -> cudaError_t, given a device that exists. For questions about it, which are answered for a lost one as well.
template <class Body>
cudaError_t enter_device(const char* name, int ordinal, Body body) {
  return enter(name, [&] {
    if (device_count() == 0) return cudaErrorNoDevice;
    if (ordinal < 0 || ordinal >= device_count()) return cudaErrorInvalidDevice;
    return body(device(ordinal));
  });
}

// body: (Device&) -> cudaError_t, given the thread's current device, whose context is then bound to the thread. For work: a lost
// device does none, and an error that loses a device does so wherever it shows.
template <class Body>
cudaError_t enter_current(const char* name, Body body) {
  if (is_forked()) return keep_error(cudaErrorInitializationError);
  if (device_count() == 0) return keep_error(cudaErrorNoDevice);
  Device& current = device(current_ordinal());
  if (!bound_device()) choose_device(current);
  if (int lost = current.sticky) return keep_error(static_cast<cudaError_t>(lost));
  const cudaError_t error = enter(name, [&] { return body(current); });
  if (is_sticky(error)) current.sticky = error;
  return error;
}

// What a call that waited for the device returns.
inline cudaError_t outcome(const Device& device) { return static_cast<cudaError_t>(device.sticky.load()); }

}  // namespace cudasim
