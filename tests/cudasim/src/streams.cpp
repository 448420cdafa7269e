#include "streams.h"

#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "faults.h"
#include "settings.h"

namespace cudasim {
namespace {

constexpr auto kLinger = std::chrono::milliseconds(20);  // how long an idle worker stays

std::atomic<long> workers{0};
std::atomic<unsigned> streams_made{0};

// What a queued operation does when its turn has come: nothing on a lost device, fail if a fault was ordered, or its work.
void perform(Device& device, const char* name, const std::function<void()>& work) {
  if (!work || device.sticky) return;
  if (int code = fault(std::string("async/") + name)) {
    device.sticky = code;
  } else {
    work();
  }
}

}  // namespace

Stream::Stream(Device& device, unsigned flags, int priority)
    : device(device), flags(flags), priority(priority), random_(settings().seed * 7919 + streams_made++) {}

class Scheduler {
 public:
  static Scheduler& instance() {
    static Scheduler& scheduler = *new Scheduler;
    return scheduler;
  }

  cudaStream_t Create(Device& device, unsigned flags, int priority) {
    auto stream = std::make_shared<Stream>(device, flags, priority);
    std::lock_guard<std::mutex> guard(lock_);
    on_device_[&device].insert(stream);
    auto handle = reinterpret_cast<cudaStream_t>(stream.get());
    handles_[handle] = std::move(stream);
    return handle;
  }

  bool Destroy(cudaStream_t handle) {
    std::lock_guard<std::mutex> guard(lock_);
    auto found = handles_.find(handle);
    if (found == handles_.end()) return false;
    StreamPtr stream = std::move(found->second);
    handles_.erase(found);
    RetireLocked(stream);
    return true;
  }

  StreamPtr Find(cudaStream_t handle) {
    std::lock_guard<std::mutex> guard(lock_);
    auto found = handles_.find(handle);
    return found == handles_.end() ? nullptr : found->second;
  }

  StreamPtr Legacy(Device& device) {
    std::lock_guard<std::mutex> guard(lock_);
    StreamPtr& stream = legacy_[&device];
    if (!stream) stream = std::make_shared<Stream>(device, cudaStreamDefault, 0);
    return stream;
  }

  // The per-thread default stream: a blocking stream that is destroyed with its thread.
  StreamPtr PerThread(Device& device) {
    struct Owned {
      std::map<Device*, cudaStream_t> handles;
      ~Owned() {
        if (is_forked()) return;  // whoever held the lock is not in this process
        for (auto& [device, handle] : handles) instance().Destroy(handle);
      }
    };
    static thread_local Owned owned;
    auto [entry, is_new] = owned.handles.try_emplace(&device);
    if (is_new) entry->second = Create(device, cudaStreamDefault, 0);
    return Find(entry->second);
  }

  Moment Issue(const StreamPtr& stream, const char* name, std::function<void()> work, const Moment& after) {
    std::lock_guard<std::mutex> guard(lock_);
    std::vector<Moment> moments;
    if (after.stream) moments.push_back(after);
    const StreamPtr& legacy = legacy_[&stream->device];
    if (stream == legacy) {
      for (const StreamPtr& other : on_device_[&stream->device]) {
        if (other->is_blocking()) moments.push_back(TailLocked(other));
      }
    } else if (legacy && stream->is_blocking()) {
      moments.push_back(TailLocked(legacy));
    }
    const auto due = Clock::now() + std::chrono::milliseconds(settings().lazy_ms);
    stream->queue_.push_back({name, std::move(work), std::move(moments), due});
    stream->issued_++;
    pending_++;
    if (!stream->has_worker_) {
      stream->has_worker_ = true;
      workers++;
      std::thread([this, stream] { Work(stream); }).detach();
    }
    stream->changed_.notify_all();
    return TailLocked(stream);
  }

  Moment Tail(const StreamPtr& stream) {
    std::lock_guard<std::mutex> guard(lock_);
    return TailLocked(stream);
  }

  bool IsReached(const Moment& moment) {
    std::lock_guard<std::mutex> guard(lock_);
    WantLocked(moment);
    return IsReachedLocked(moment);
  }

  void WaitFor(const Moment& moment) {
    std::unique_lock<std::mutex> guard(lock_);
    WaitLocked(guard, moment);
  }

  void WaitForDevice(Device& device) {
    std::unique_lock<std::mutex> guard(lock_);
    std::vector<Moment> moments;
    for (const StreamPtr& stream : on_device_[&device]) moments.push_back(TailLocked(stream));
    if (const StreamPtr& legacy = legacy_[&device]) moments.push_back(TailLocked(legacy));
    for (const Moment& moment : moments) WaitLocked(guard, moment);
  }

  long Streams() {
    std::lock_guard<std::mutex> guard(lock_);
    return static_cast<long>(handles_.size());
  }

  long Pending() {
    std::lock_guard<std::mutex> guard(lock_);
    return pending_;
  }

 private:
  static bool IsReachedLocked(const Moment& moment) { return !moment.stream || moment.stream->finished_ >= moment.number; }

  static Moment TailLocked(const StreamPtr& stream) { return stream->finished_ < stream->issued_ ? Moment{stream, stream->issued_} : Moment{}; }

  // Marks the operations up to this moment, and all that they wait for, as wanted.
  static void WantLocked(const Moment& moment) {
    std::vector<Moment> open{moment};
    while (!open.empty()) {
      const Moment wanted = std::move(open.back());
      open.pop_back();
      if (!wanted.stream) continue;
      Stream& stream = *wanted.stream;
      const std::uint64_t known = std::max(stream.wanted_, stream.finished_);
      if (wanted.number <= known) continue;
      for (std::uint64_t number = known + 1; number <= wanted.number; number++) {
        for (const Moment& earlier : stream.queue_[number - stream.finished_ - 1].after) open.push_back(earlier);
      }
      stream.wanted_ = wanted.number;
      stream.changed_.notify_all();
    }
  }

  static void WaitLocked(std::unique_lock<std::mutex>& guard, const Moment& moment) {
    WantLocked(moment);
    if (moment.stream) moment.stream->changed_.wait(guard, [&] { return IsReachedLocked(moment); });
  }

  // Takes a destroyed stream off its device; one that still has work is left until that is done, as the legacy stream waits for it.
  void RetireLocked(const StreamPtr& stream) {
    stream->is_destroyed_ = true;
    if (stream->queue_.empty()) on_device_[&stream->device].erase(stream);
  }

  void Work(const StreamPtr& stream) {
    {
      std::unique_lock<std::mutex> guard(lock_);
      while (stream->changed_.wait_for(guard, kLinger, [&] { return !stream->queue_.empty(); })) RunFrontLocked(guard, stream);
      stream->has_worker_ = false;
    }
    workers--;
  }

  void RunFrontLocked(std::unique_lock<std::mutex>& guard, const StreamPtr& stream) {
    Stream::Operation& front = stream->queue_.front();  // stays where it is while others are pushed
    const std::uint64_t number = stream->finished_ + 1;
    stream->changed_.wait_until(guard, front.due, [&] { return stream->wanted_ >= number || Clock::now() >= front.due; });
    for (const Moment& moment : front.after) WaitLocked(guard, moment);
    const long delay_us = settings().delay_us;
    const auto delay = std::chrono::microseconds(delay_us > 0 ? stream->random_() % delay_us : 0);
    {
      const auto work = std::move(front.work);  // what it holds goes before anybody learns that it is done
      const char* name = front.name;
      guard.unlock();
      if (delay.count()) std::this_thread::sleep_for(delay);
      perform(stream->device, name, work);
    }
    guard.lock();
    stream->queue_.pop_front();
    stream->finished_++;
    pending_--;
    if (stream->is_destroyed_) RetireLocked(stream);
    stream->changed_.notify_all();
  }

  std::mutex lock_;  // of everything here and in every stream
  std::map<cudaStream_t, StreamPtr> handles_;
  std::map<Device*, StreamPtr> legacy_;
  std::map<Device*, std::set<StreamPtr>> on_device_;  // all but the legacy streams
  long pending_ = 0;
};

StreamPtr find_stream(cudaStream_t handle, Device& current) {
  if (!handle || handle == cudaStreamLegacy) return Scheduler::instance().Legacy(current);
  if (handle == cudaStreamPerThread) return Scheduler::instance().PerThread(current);
  return Scheduler::instance().Find(handle);
}

cudaStream_t create_stream(Device& device, unsigned flags, int priority) { return Scheduler::instance().Create(device, flags, priority); }

bool destroy_stream(cudaStream_t handle) { return Scheduler::instance().Destroy(handle); }

Moment issue(const StreamPtr& stream, const char* name, std::function<void()> work, const Moment& after) {
  return Scheduler::instance().Issue(stream, name, std::move(work), after);
}

Moment tail(const StreamPtr& stream) { return Scheduler::instance().Tail(stream); }

bool is_reached(const Moment& moment) { return Scheduler::instance().IsReached(moment); }

void wait_for(const Moment& moment) { Scheduler::instance().WaitFor(moment); }

void wait_for_device(Device& device) { Scheduler::instance().WaitForDevice(device); }

long live_streams() { return Scheduler::instance().Streams(); }

long live_workers() { return workers; }

long pending_operations() { return Scheduler::instance().Pending(); }

}  // namespace cudasim
