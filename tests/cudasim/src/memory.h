// What is allocated where. Device memory is host memory that is counted against its device's limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "devices.h"

namespace cudasim {

enum class Memory { kDevice, kManaged, kPinned, kRegistered };

struct Allocation {
  std::uintptr_t address;
  std::size_t size_bytes;      // as asked for
  std::size_t reserved_bytes;  // as counted; 0 if the memory is not ours (kRegistered)
  Memory kind;
  Device* device;
  unsigned flags;

  bool is_host() const { return kind == Memory::kPinned || kind == Memory::kRegistered; }
};

// Returns null if the device (or, for pinned memory, this machine) has not so much left.
// REQUIRES: size_bytes > 0 and kind != kRegistered
void* allocate(Device& device, Memory kind, std::size_t size_bytes, unsigned flags);

// Records memory of the caller's as pinned. Returns false if part of it is recorded already.
bool register_memory(Device& device, void* address, std::size_t size_bytes, unsigned flags);

// The allocation that holds this address.
std::optional<Allocation> find_allocation(const void* address);

// Frees what starts at this address; kRegistered memory is only forgotten. Returns false if no such allocation is there.
bool release(void* address, Memory kind);

// How many allocations of this kind there are, and their bytes as asked for.
struct Tally {
  long count = 0;
  long bytes = 0;
};
Tally tally(Memory kind);

}  // namespace cudasim
