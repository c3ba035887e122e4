#include "server/worker_pulse.h"

#include <algorithm>
#include <cstdint>

#include "core/base/mutex.h"

namespace moeprobe {

void WorkerPulse::Beat(int64_t worker, Clock::time_point now) {
  const MutexLock lock(mutex_);
  last_[worker] = now;
}

void WorkerPulse::End(int64_t worker) {
  const MutexLock lock(mutex_);
  last_.erase(worker);
}

int WorkerPulse::AnsweringCount(Clock::time_point now) const {
  const MutexLock lock(mutex_);
  return static_cast<int>(std::ranges::count_if(
      last_, [&](const auto& beat) { return now - beat.second < kPatience; }));
}

}  // namespace moeprobe
