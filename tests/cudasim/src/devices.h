// The devices of this process and the calling thread's current one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>

namespace cudasim {

struct Device {
  int ordinal;
  int physical;
  std::size_t memory_bytes;

  std::atomic<int> sticky{0};            // the error that lost this device, or 0
  std::atomic<bool> has_context{false};  // whether its primary context was made, which on a real one takes its memory

  std::mutex lock;                   // of everything below
  std::size_t used_bytes = 0;        // never more than memory_bytes
  std::set<int> peers;               // ordinals of the devices whose memory may be reached
  std::uint64_t pool_threshold = 0;  // kept for who set it; the pool keeps no memory back
};

int device_count();

// REQUIRES: 0 <= ordinal < device_count()
Device& device(int ordinal);

// The calling thread's: of its context if one is bound to it, else what it last chose, at first 0.
int current_ordinal();

// Whose primary context is bound to the calling thread; null: none, as in every thread that has not yet called anything that needs one.
Device*& bound_device();

// What cudaSetDevice does, and what the first call in a thread that needs a context does with the thread's current device.
void choose_device(Device& device);

// Whether this process is a fork of one that had used a device: nothing works in it any more, as with the real driver.
bool is_forked();

}  // namespace cudasim
