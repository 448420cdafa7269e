// Streams: queues of operations, each worked off in order by a thread of its own. One lock guards all queues; work runs outside it.
//
// Operations of a stream are numbered from 1. A Moment is when operation `number` of `stream` has finished. An operation starts
// when the one before it in its stream has finished and all the moments in `after` are reached: that is how events, and the
// legacy stream, which waits for every blocking stream and is waited for by them, are made. `after` only names operations
// that were issued earlier, so there are no cycles.
//
// The worker of a stream starts with its first operation and leaves when the stream has been idle for a while, so nothing has
// to be joined, and a destroyed stream still completes what was issued to it.
#pragma once

#include <driver_types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "devices.h"

namespace cudasim {

using Clock = std::chrono::steady_clock;

class Stream;
using StreamPtr = std::shared_ptr<Stream>;

struct Moment {
  StreamPtr stream;  // null: always reached
  std::uint64_t number = 0;
};

// Only streams.cpp looks into the queue; device, flags and priority never change.
class Stream {
 public:
  Stream(Device& device, unsigned flags, int priority);

  Device& device;
  const unsigned flags;
  const int priority;

  bool is_blocking() const { return !(flags & cudaStreamNonBlocking); }

 private:
  friend class Scheduler;

  struct Operation {
    const char* name;
    std::function<void()> work;
    std::vector<Moment> after;
    Clock::time_point due;  // in lazy mode, when to run unless somebody waits for it before
  };

  std::deque<Operation> queue_;  // the front is number finished_ + 1 and stays here while it runs
  std::uint64_t issued_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t wanted_ = 0;  // somebody waits for this number and so for all before it
  bool has_worker_ = false;
  bool is_destroyed_ = false;
  std::mt19937 random_;              // for the delays
  std::condition_variable changed_;  // any of the above has
};

// Handles. Returns null for one that names no stream; 0 and the two reserved handles mean the default streams of `current`.
StreamPtr find_stream(cudaStream_t handle, Device& current);
cudaStream_t create_stream(Device& device, unsigned flags, int priority);
bool destroy_stream(cudaStream_t handle);

// Queues work. `name` (a literal: it is kept) is what faults know it by. Work that is empty only marks a moment.
Moment issue(const StreamPtr& stream, const char* name, std::function<void()> work, const Moment& after = {});

// The moment when all that was issued to the stream up to now has finished.
Moment tail(const StreamPtr& stream);

// Whether it is reached. Asking counts as waiting in lazy mode, so that polling gets somewhere.
bool is_reached(const Moment& moment);

void wait_for(const Moment& moment);
void wait_for_device(Device& device);

// For the tests that look for leaks: streams made and not destroyed, threads at work, operations not yet finished.
long live_streams();
long live_workers();
long pending_operations();

}  // namespace cudasim
