#include "server/worker_pulse.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/mutex.h"

namespace moeprobe {

WorkerPulse::Call::Call(WorkerPulse* pulse, int64_t worker)
    : pulse_(pulse), worker_(worker) {
  pulse_->BeginCall(worker_);
}

WorkerPulse::Call::~Call() {
  if (pulse_ != nullptr) pulse_->EndCall(worker_);
}

WorkerPulse::Call::Call(Call&& other) noexcept
    : pulse_(std::exchange(other.pulse_, nullptr)), worker_(other.worker_) {}

void WorkerPulse::Beat(int64_t worker, Clock::time_point now) {
  const MutexLock lock(mutex_);
  workers_[worker].last = now;
}

void WorkerPulse::BeginCall(int64_t worker) {
  const MutexLock lock(mutex_);
  Heard& heard = workers_[worker];
  heard.last = Clock::now();
  ++heard.call_count;
}

// Unless it has ended meanwhile.
void WorkerPulse::EndCall(int64_t worker) {
  const MutexLock lock(mutex_);
  const auto heard = workers_.find(worker);
  if (heard == workers_.end()) return;
  heard->second.last = Clock::now();
  --heard->second.call_count;
}

void WorkerPulse::End(int64_t worker) {
  const MutexLock lock(mutex_);
  workers_.erase(worker);
}

bool WorkerPulse::IsSilent(int64_t worker, std::chrono::seconds patience,
                           Clock::time_point now) const {
  const MutexLock lock(mutex_);
  const auto heard = workers_.find(worker);
  return heard != workers_.end() && heard->second.IsSilent(patience, now);
}

std::vector<int64_t> WorkerPulse::Silent(std::chrono::seconds patience,
                                         Clock::time_point now) const {
  const MutexLock lock(mutex_);
  std::vector<int64_t> silent;
  for (const auto& [worker, heard] : workers_) {
    if (heard.IsSilent(patience, now)) silent.push_back(worker);
  }
  return silent;
}

int WorkerPulse::AnsweringCount(Clock::time_point now) const {
  const MutexLock lock(mutex_);
  return static_cast<int>(
      std::ranges::count_if(workers_, [&](const auto& worker) {
        return now - worker.second.last < kPatience;
      }));
}

}  // namespace moeprobe
