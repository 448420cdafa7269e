#include "memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "settings.h"

namespace cudasim {
namespace {

constexpr int kFreshDevice = 0xCD;
constexpr int kFreshPinned = 0xCE;
constexpr int kFreed = 0xDD;

struct Registry {
  std::mutex lock;
  std::map<std::uintptr_t, Allocation> allocations;  // by address; they never overlap
};

Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

// REQUIRES: the registry is locked
std::optional<Allocation> find_locked(std::uintptr_t address) {
  auto next = registry().allocations.upper_bound(address);
  if (next == registry().allocations.begin()) return std::nullopt;
  const Allocation& before = std::prev(next)->second;
  if (address - before.address >= before.size_bytes) return std::nullopt;
  return before;
}

bool is_counted(Memory kind) { return kind == Memory::kDevice || kind == Memory::kManaged; }

bool take_from(Device& device, std::size_t bytes) {
  std::lock_guard<std::mutex> guard(device.lock);
  if (bytes > device.memory_bytes - device.used_bytes) return false;
  device.used_bytes += bytes;
  return true;
}

void give_back(Device& device, std::size_t bytes) {
  std::lock_guard<std::mutex> guard(device.lock);
  device.used_bytes -= bytes;
}

}  // namespace

void* allocate(Device& device, Memory kind, std::size_t size_bytes, unsigned flags) {
  const bool counted = is_counted(kind);
  const std::size_t alignment = counted ? 512 : 4096;
  if (size_bytes > SIZE_MAX - alignment) return nullptr;
  const std::size_t reserved = (size_bytes + alignment - 1) / alignment * alignment;
  if (counted && !take_from(device, reserved)) return nullptr;
  void* memory = std::aligned_alloc(alignment, reserved);
  if (!memory) {
    if (counted) give_back(device, reserved);
    return nullptr;
  }
  if (settings().poison) std::memset(memory, counted ? kFreshDevice : kFreshPinned, reserved);
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  std::lock_guard<std::mutex> guard(registry().lock);
  registry().allocations[address] = {address, size_bytes, reserved, kind, &device, flags};
  return memory;
}

bool register_memory(Device& device, void* memory, std::size_t size_bytes, unsigned flags) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  std::lock_guard<std::mutex> guard(registry().lock);
  auto next = registry().allocations.lower_bound(address);
  if (next != registry().allocations.end() && next->first - address < size_bytes) return false;
  if (find_locked(address)) return false;
  registry().allocations[address] = {address, size_bytes, 0, Memory::kRegistered, &device, flags};
  return true;
}

std::optional<Allocation> find_allocation(const void* address) {
  std::lock_guard<std::mutex> guard(registry().lock);
  return find_locked(reinterpret_cast<std::uintptr_t>(address));
}

bool release(void* memory, Memory kind) {
  Allocation freed;
  {
    std::lock_guard<std::mutex> guard(registry().lock);
    auto found = registry().allocations.find(reinterpret_cast<std::uintptr_t>(memory));
    if (found == registry().allocations.end() || found->second.kind != kind) return false;
    freed = found->second;
    registry().allocations.erase(found);
  }
  if (kind == Memory::kRegistered) return true;
  if (settings().poison) std::memset(memory, kFreed, freed.reserved_bytes);
  std::free(memory);
  if (is_counted(kind)) give_back(*freed.device, freed.reserved_bytes);
  return true;
}

Tally tally(Memory kind) {
  Tally sum;
  std::lock_guard<std::mutex> guard(registry().lock);
  for (const auto& [address, allocation] : registry().allocations) {
    if (allocation.kind != kind) continue;
    sum.count++;
    sum.bytes += static_cast<long>(allocation.size_bytes);
  }
  return sum;
}

}  // namespace cudasim
