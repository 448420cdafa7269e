// Errors on order. A specification is a comma-separated list of
//     name:nth:code            the nth call of `name` (counted from when it was ordered; 0: every call) returns `code`
//     async/name:nth:code      the nth operation that `name` queued fails when its turn comes; the device's error is then sticky
// name: a function as the caller spells it ("cudaMalloc"); copies are also counted by direction ("cudaMemcpyAsync.DtoH", also
// HtoD, DtoD, HtoH). code: a cudaError_t as a number.
#pragma once

#include <string>

namespace cudasim {

// Replaces what was ordered before and starts counting anew; "" orders nothing. Returns false, and changes nothing, if malformed.
bool order_faults(const std::string& specification);

// Counts one call of `name`; returns the code it must fail with, or 0.
int fault(const std::string& name);

// Whether a real device is lost after this error: every later call on it fails with the same code.
bool is_sticky(int code);

}  // namespace cudasim
