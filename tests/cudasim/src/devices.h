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

  std::atomic<int> sticky{0};  // the error that lost this device, or 0

  std::mutex lock;                   // of everything below
  std::size_t used_bytes = 0;        // never more than memory_bytes
  std::set<int> peers;               // ordinals of the devices whose memory may be reached
  std::uint64_t pool_threshold = 0;  // kept for who set it; the pool keeps no memory back
};

int device_count();

// REQUIRES: 0 <= ordinal < device_count()
Device& device(int ordinal);

// Starts at 0 in every thread, as in the real runtime.
int& current_ordinal();

// Whether this process is a fork of one that had used a device: nothing works in it any more, as with the real driver.
bool is_forked();

}  // namespace cudasim
