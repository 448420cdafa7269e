#include "events.h"

#include <map>
#include <mutex>

namespace cudasim {
namespace {

struct Registry {
  std::mutex lock;
  std::map<cudaEvent_t, std::unique_ptr<Event>> events;
};

Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

}  // namespace

cudaEvent_t create_event(Device& device, unsigned flags) {
  auto event = std::unique_ptr<Event>(new Event{device, flags, {}, nullptr});
  auto handle = reinterpret_cast<cudaEvent_t>(event.get());
  std::lock_guard<std::mutex> guard(registry().lock);
  registry().events[handle] = std::move(event);
  return handle;
}

bool destroy_event(cudaEvent_t handle) {
  std::lock_guard<std::mutex> guard(registry().lock);
  return registry().events.erase(handle) == 1;
}

std::shared_ptr<const Event> find_event(cudaEvent_t handle) {
  std::lock_guard<std::mutex> guard(registry().lock);
  auto found = registry().events.find(handle);
  return found == registry().events.end() ? nullptr : std::make_shared<const Event>(*found->second);
}

bool record_event(cudaEvent_t handle, const StreamPtr& stream) {
  std::lock_guard<std::mutex> guard(registry().lock);
  auto found = registry().events.find(handle);
  if (found == registry().events.end() || &found->second->device != &stream->device) return false;
  auto time = std::make_shared<Clock::time_point>();
  found->second->moment = issue(stream, "cudaEventRecord", [time] { *time = Clock::now(); });
  found->second->time = std::move(time);
  return true;
}

long live_events() {
  std::lock_guard<std::mutex> guard(registry().lock);
  return static_cast<long>(registry().events.size());
}

}  // namespace cudasim
