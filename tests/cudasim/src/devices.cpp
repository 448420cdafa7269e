#include "devices.h"

#include <pthread.h>

#include <deque>

#include "settings.h"

namespace cudasim {
namespace {

std::atomic<bool> forked{false};
thread_local int chosen_ordinal = 0;

std::deque<Device>& devices() {
  static std::deque<Device>& instance = *[] {
    auto* created = new std::deque<Device>;
    for (const Settings::Visible& visible : settings().visible) {
      Device& device = created->emplace_back();
      device.ordinal = static_cast<int>(created->size()) - 1;
      device.physical = visible.physical;
      device.memory_bytes = visible.memory_bytes;
    }
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
    return created;
  }();
  return instance;
}

}  // namespace

int device_count() { return static_cast<int>(devices().size()); }

Device& device(int ordinal) { return devices()[ordinal]; }

int current_ordinal() { return bound_device() ? bound_device()->ordinal : chosen_ordinal; }

Device*& bound_device() {
  static thread_local Device* bound = nullptr;
  return bound;
}

void choose_device(Device& device) {
  chosen_ordinal = device.ordinal;
  bound_device() = &device;
  device.has_context = true;
}

bool is_forked() { return forked; }

}  // namespace cudasim
