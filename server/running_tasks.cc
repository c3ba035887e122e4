#include "server/running_tasks.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "server/memory_schedule.h"
#include "server/resource_name.h"
#include "server/trained_runs.h"

namespace moeprobe {
namespace {

// A century: what is expected to take longer has no end.
constexpr double kLongestSeconds = 3.2e9;

}  // namespace

void RunningTasks::Add(RunningTask task) {
  const MutexLock lock(mutex_);
  const int64_t job = task.attempt.job;
  const Clock::time_point start = task.start;
  tasks_[job] = {.task = std::make_shared<const RunningTask>(std::move(task)),
                 .phase = {},
                 .got_on = start};
}

RunningTasks::Held* RunningTasks::Find(const AttemptId& attempt) {
  const auto found = tasks_.find(attempt.job);
  if (found == tasks_.end()) return nullptr;
  Held& held = found->second;
  return held.task->attempt.attempt == attempt.attempt ? &held : nullptr;
}

absl::StatusOr<std::shared_ptr<const RunningTask>> RunningTasks::Find(
    const std::string& job_name, int attempt) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t job, ParseJobName(job_name));
  const MutexLock lock(mutex_);
  const Held* held = Find({.job = job, .attempt = attempt});
  if (held != nullptr) return held->task;
  return absl::AbortedError(
      absl::StrCat("attempt ", attempt, " no longer holds ", job_name));
}

std::vector<std::shared_ptr<const RunningTask>> RunningTasks::All() const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const RunningTask>> tasks;
  tasks.reserve(tasks_.size());
  for (const auto& [job, held] : tasks_) tasks.push_back(held.task);
  return tasks;
}

std::optional<RunningTasks::Clock::time_point> RunningTasks::ExpectedEnd(
    const Held& held) {
  const auto seconds = held.task->needs.seconds;
  if (!seconds || *seconds > kLongestSeconds) return std::nullopt;
  return held.task->start + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(*seconds));
}

std::vector<std::shared_ptr<const RunningTask>> RunningTasks::Using(
    const std::filesystem::path& directory) const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const RunningTask>> found;
  for (const auto& [job, held] : tasks_) {
    const bool uses = std::ranges::any_of(
        held.task->plan.parts,
        [&](const auto& part) { return part.model.directory == directory; });
    if (uses) found.push_back(held.task);
  }
  return found;
}

std::vector<HeldMemory> RunningTasks::Memory() const {
  const MutexLock lock(mutex_);
  std::vector<HeldMemory> memory;
  memory.reserve(tasks_.size());
  for (const auto& [job, held] : tasks_) {
    memory.push_back({.job = job,
                      .bytes = held.task->memory_bytes,
                      .start = held.task->start,
                      .end = ExpectedEnd(held)});
  }
  return memory;
}

std::shared_ptr<const RunningTask> RunningTasks::HeldBy(int64_t worker) const {
  const MutexLock lock(mutex_);
  for (const auto& [job, held] : tasks_) {
    if (held.task->worker == worker) return held.task;
  }
  return nullptr;
}

void RunningTasks::NoteProgress(const AttemptId& attempt,
                                const std::string& phase, double fraction,
                                Clock::time_point now) {
  const MutexLock lock(mutex_);
  Held* held = Find(attempt);
  if (held == nullptr) return;
  if (held->phase == phase && held->fraction == fraction) return;
  held->phase = phase;
  held->fraction = fraction;
  held->got_on = now;
}

void RunningTasks::NoteLayer(const AttemptId& attempt, Clock::time_point now) {
  const MutexLock lock(mutex_);
  Held* held = Find(attempt);
  if (held != nullptr) held->got_on = now;
}

std::vector<std::shared_ptr<const RunningTask>> RunningTasks::Stalled(
    std::chrono::seconds patience, Clock::time_point now) const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const RunningTask>> stalled;
  for (const auto& [job, held] : tasks_) {
    if (now - held.got_on >= patience) stalled.push_back(held.task);
  }
  return stalled;
}

std::vector<std::shared_ptr<const RunningTask>> RunningTasks::Overdue(
    absl::Duration most, Clock::time_point now) const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const RunningTask>> overdue;
  for (const auto& [job, held] : tasks_) {
    if (held.task->before + held.task->Age(now) >= most) {
      overdue.push_back(held.task);
    }
  }
  return overdue;
}

std::shared_ptr<const RunningTask> RunningTasks::Remove(
    const AttemptId& attempt) {
  const MutexLock lock(mutex_);
  const Held* held = Find(attempt);
  if (held == nullptr) return nullptr;
  auto task = held->task;
  for (std::string& run : RunsOf(task->plan)) {
    ended_runs_.insert(std::move(run));
  }
  tasks_.erase(attempt.job);
  removed_.notify_all();
  return task;
}

std::set<std::string> RunningTasks::TakeEndedRuns() {
  const MutexLock lock(mutex_);
  return std::exchange(ended_runs_, {});
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
