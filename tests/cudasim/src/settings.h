// What the environment says: CUDASIM_* (README.md) and CUDA_VISIBLE_DEVICES. The atomic ones may be changed while running.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

namespace cudasim {

struct Settings {
  Settings();

  struct Visible {
    int physical;  // what the device is called outside this process: its PCI bus and the last byte of its UUID
    std::size_t memory_bytes;
  };
  std::vector<Visible> visible;  // in the order of CUDA_VISIBLE_DEVICES

  std::atomic<long> lazy_ms;   // > 0: an operation runs only once somebody waits for it, or after this long
  std::atomic<long> delay_us;  // > 0: a random delay of at most this long before each queued operation
  std::atomic<long> seed;      // of the random delays
  std::atomic<long> poison;    // fresh and freed memory is filled with a pattern
  std::atomic<long> peer;      // devices can reach each other's memory
  std::atomic<long> log;       // 2: every call is printed
};

Settings& settings();

// One of the atomic settings by its name without the prefix ("LAZY_MS"), or null for any other name.
std::atomic<long>* find_setting(const std::string& name);

// Prints a line to stderr, marked as emulated.
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace cudasim
