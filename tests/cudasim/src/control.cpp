// What tests may ask and change, from C or by ctypes (control.py).
#include <cstring>

#include "api.h"
#include "events.h"
#include "memory.h"
#include "streams.h"

using namespace cudasim;

// Asks for and changes a setting: its variable's name without the prefix. Returns 0, or -1 if it cannot be changed while running.
CUDASIM_API int cudasim_setting(const char* name, long* value) {
  const std::atomic<long>* found = find_setting(name);
  if (found) *value = *found;
  return found ? 0 : -1;
}
CUDASIM_API int cudasim_configure(const char* name, long value) {
  std::atomic<long>* found = find_setting(name);
  if (found) *found = value;
  return found ? 0 : -1;
}

// Replaces the faults (faults.h). Returns 0, or -1 if malformed.
CUDASIM_API int cudasim_fail(const char* specification) { return order_faults(specification) ? 0 : -1; }

// Makes lost devices work again, which no real one does; for tests that share a process.
CUDASIM_API void cudasim_recover() {
  for (int ordinal = 0; ordinal < device_count(); ordinal++) device(ordinal).sticky = 0;
}

// How many of something there are now, or -1 if there is no such thing.
CUDASIM_API long cudasim_count(const char* what) {
  auto is = [what](const char* name) { return std::strcmp(what, name) == 0; };
  if (is("streams")) return live_streams();
  if (is("events")) return live_events();
  if (is("workers")) return live_workers();
  if (is("operations")) return pending_operations();
  if (is("device_allocations")) return tally(Memory::kDevice).count + tally(Memory::kManaged).count;
  if (is("device_bytes")) return tally(Memory::kDevice).bytes + tally(Memory::kManaged).bytes;
  if (is("pinned_allocations")) return tally(Memory::kPinned).count;
  if (is("pinned_bytes")) return tally(Memory::kPinned).bytes;
  if (is("registered")) return tally(Memory::kRegistered).count;
  return -1;
}
