#include "server/worker_pulse.h"

#include <algorithm>
#include <chrono>
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

bool WorkerPulse::IsSilent(int64_t worker, std::chrono::seconds patience,
                           Clock::time_point now) const {
  const MutexLock lock(mutex_);
  const auto beat = last_.find(worker);
  return beat != last_.end() && now - beat->second >= patience;
}

int WorkerPulse::AnsweringCount(Clock::time_point now) const {
  const MutexLock lock(mutex_);
  return static_cast<int>(std::ranges::count_if(
      last_, [&](const auto& beat) { return now - beat.second < kPatience; }));
}

}  // namespace moeprobe
