#include "server/running_tasks.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "server/resource_name.h"

namespace moeprobe {

void RunningTasks::Add(RunningTask task) {
  const MutexLock lock(mutex_);
  const int64_t job = task.attempt.job;
  tasks_[job] = std::make_shared<const RunningTask>(std::move(task));
}

absl::StatusOr<std::shared_ptr<const RunningTask>> RunningTasks::Find(
    const std::string& job_name, int attempt) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t job, ParseJobName(job_name));
  const MutexLock lock(mutex_);
  const auto found = tasks_.find(job);
  if (found == tasks_.end() || found->second->attempt.attempt != attempt) {
    return absl::AbortedError(
        absl::StrCat("attempt ", attempt, " no longer holds ", job_name));
  }
  return found->second;
}

std::optional<absl::Duration> RunningTasks::HeldFor(int64_t job) {
  const MutexLock lock(mutex_);
  const auto found = tasks_.find(job);
  if (found == tasks_.end()) return std::nullopt;
  return absl::Now() - found->second->start_time;
}

std::vector<int64_t> RunningTasks::Workers() const {
  const MutexLock lock(mutex_);
  std::vector<int64_t> workers;
  workers.reserve(tasks_.size());
  for (const auto& [job, task] : tasks_) workers.push_back(task->worker);
  return workers;
}

void RunningTasks::Remove(int64_t job) {
  const MutexLock lock(mutex_);
  tasks_.erase(job);
  removed_.notify_all();
}

bool RunningTasks::WaitUntilEmpty(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(mutex_);
  while (!tasks_.empty()) {
    if (removed_.wait_until(mutex_, deadline) == std::cv_status::timeout) break;
  }
  return tasks_.empty();
}

}  // namespace moeprobe
