// Events: each remembers the moment at which it was last recorded.
#pragma once

#include <driver_types.h>

#include <memory>

#include "streams.h"

namespace cudasim {

struct Event {
  Device& device;
  unsigned flags;
  Moment moment;                            // of the last record
  std::shared_ptr<Clock::time_point> time;  // of that moment, once it is reached; null: never recorded
};

cudaEvent_t create_event(Device& device, unsigned flags);
bool destroy_event(cudaEvent_t handle);

// A copy of the event as it is now, or null.
std::shared_ptr<const Event> find_event(cudaEvent_t handle);

// Records the event in the stream. Returns false if there is no such event or it belongs to another device.
bool record_event(cudaEvent_t handle, const StreamPtr& stream);

long live_events();

}  // namespace cudasim
