#include "server/job_rests.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/mutex.h"
#include "storage/job.h"

namespace moeprobe {

std::optional<std::chrono::milliseconds> JobRests::Begin(
    const AttemptId& attempt) {
  const MutexLock lock(mutex_);
  Rest& rest = rests_[attempt.job];
  if (rest.attempt != attempt.attempt) ++rest.count;
  rest.attempt = attempt.attempt;
  return Start(rest);
}

std::optional<std::chrono::milliseconds> JobRests::Begin(int64_t job) {
  const MutexLock lock(mutex_);
  Rest& rest = rests_[job];
  ++rest.count;
  return Start(rest);
}

std::optional<std::chrono::milliseconds> JobRests::Start(Rest& rest) {
  if (rest.count > kMaxCount) return std::nullopt;
  const std::chrono::milliseconds length = kFirst * (1 << (rest.count - 1));
  rest.end = Clock::now() + length;
  return length;
}

void JobRests::Pause(int64_t job) {
  const MutexLock lock(mutex_);
  const auto now = Clock::now();
  // Nobody tells of the end of a job that never began.
  std::erase_if(rests_, [&](const auto& rest) {
    return rest.second.count == 0 && rest.second.end <= now;
  });
  rests_[job].end = now + kFirst;
}

void JobRests::Forget(int64_t job) {
  const MutexLock lock(mutex_);
  rests_.erase(job);
}

std::vector<int64_t> JobRests::Resting() const {
  const MutexLock lock(mutex_);
  const auto now = Clock::now();
  std::vector<int64_t> jobs;
  for (const auto& [job, rest] : rests_) {
    if (rest.end > now) jobs.push_back(job);
  }
  return jobs;
}

}  // namespace moeprobe
