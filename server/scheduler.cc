#include "server/scheduler.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_messages.h"
#include "server/job_plan.h"
#include "server/running_tasks.h"
#include "server/task_builder.h"
#include "storage/attempt_store.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

// How often a claim looks whether its worker still waits, and jobs still rest.
constexpr std::chrono::milliseconds kPatience{500};

// Whether trying again later may help.
bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

JobFailure FailureOf(const absl::Status& status) {
  return {.code = static_cast<int>(status.code()),
          .message = std::string(status.message())};
}

// Counts up for a scope.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<int>& count_;
};

}  // namespace

void Scheduler::Wake() {
  const MutexLock lock(wake_mutex_);
  ++change_count_;
  wake_.notify_all();
}

void Scheduler::Stop() {
  stopping_ = true;
  Wake();
}

absl::Status Scheduler::WhileNothingStarts(
    const std::function<absl::Status()>& change) {
  const MutexLock lock(claim_mutex_);
  return change();
}

v1::Device Scheduler::ResolveDevice(v1::Device device) const {
  if (device != v1::DEVICE_AUTO) return device;
  return workers_have_cuda_ ? v1::DEVICE_CUDA : v1::DEVICE_CPU;
}

absl::StatusOr<std::optional<v1::Task>> Scheduler::Claim(
    const Claimant& claimant) {
  pulse_->Beat(claimant.worker);
  workers_have_cuda_ = claimant.has_cuda;
  if (claimant.rates) estimator_->SetRates(*claimant.rates);
  MOEPROBE_RETURN_IF_ERROR(EndForgottenAttempt(claimant.worker));
  const Counted idle(idle_worker_count_);
  while (true) {
    wake_mutex_.lock();
    const Seen seen = {.change_count = change_count_,
                       .resting = rests_->Resting()};
    wake_mutex_.unlock();
    if (stopping_ || claimant.gave_up()) return std::nullopt;
    MOEPROBE_ASSIGN_OR_RETURN(auto task, TryClaim(claimant));
    if (task) return task;
    if (!WaitForChange(seen, claimant)) return std::nullopt;
  }
}

bool Scheduler::WaitForChange(const Seen& seen, const Claimant& claimant) {
  const MutexLock lock(wake_mutex_);
  while (change_count_ == seen.change_count &&
         rests_->Resting() == seen.resting) {
    if (stopping_ || claimant.gave_up()) return false;
    wake_.wait_for(wake_mutex_, kPatience);
  }
  return true;
}

absl::StatusOr<std::optional<v1::Task>> Scheduler::TryClaim(
    const Claimant& claimant) {
  const MutexLock lock(claim_mutex_);
  MOEPROBE_RETURN_IF_ERROR(SettleDeaths());
  while (!draining_) {
    if (dead_workers_.contains(claimant.worker)) {
      return absl::AbortedError(
          absl::StrCat("worker ", claimant.worker, " has ended"));
    }
    MOEPROBE_ASSIGN_OR_RETURN(const auto row,
                              queue_->NextQueued(rests_->Resting()));
    if (!row) return std::nullopt;
    auto task = TryStart(*row, claimant);
    if (task.ok() && *task) return task;
    if (task.ok() || absl::IsAborted(task.status())) continue;
    if (IsTransient(task.status())) return task.status();
    const JobFailure failure = FailureOf(task.status());
    MOEPROBE_RETURN_IF_ERROR(queue_->FailQueued(row->id, failure));
    record_->Ended(row->id, JobState::kFailed, failure);
    scratch_->Remove(row->id);
  }
  return std::nullopt;
}

// Returns nullopt if the cache had all that the job needed.
absl::StatusOr<std::optional<v1::Task>> Scheduler::TryStart(
    const JobRow& row, const Claimant& claimant) {
  RunningTask running;
  running.request_key = row.request_key;
  MOEPROBE_ASSIGN_OR_RETURN(running.spec, SpecOf(row));
  running.device = ResolveDevice(DeviceOf(running.spec));
  MOEPROBE_ASSIGN_OR_RETURN(running.plan,
                            planner_->Plan(running.spec, running.device));
  MOEPROBE_ASSIGN_OR_RETURN(const bool answered,
                            AnswerFromCache(row, running.plan));
  if (answered) return std::nullopt;
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<NeededGroup> missing,
                            queue_->MissingGroups(row.id));
  running.attempt = {.job = row.id, .attempt = row.attempt + 1};
  running.worker = claimant.worker;
  running.first_start_time = row.start_time.value_or(running.start_time);
  MOEPROBE_RETURN_IF_ERROR(scratch_->Make(row.id, running.task));
  MOEPROBE_RETURN_IF_ERROR(BuildTask(missing, *catalog_, running));
  MOEPROBE_ASSIGN_OR_RETURN(const auto estimate,
                            estimator_->Estimate(running.plan, running.device));
  std::optional<double> estimated_seconds;
  if (estimate) estimated_seconds = estimate->seconds();
  running.estimated_seconds = estimated_seconds;
  v1::Task task = running.task;
  const size_t group_count = running.plan.groups.size();
  pulse_->Beat(claimant.worker);  // its lease begins
  running_->Add(std::move(running));
  CrashPoint("task-made-not-leased");
  const auto started =
      queue_->Start(row.id, claimant.worker, estimated_seconds);
  if (!started.ok()) {
    running_->Remove(row.id);
    // It has ended meanwhile, as a job does that somebody cancels.
    if (absl::IsAborted(started.status())) scratch_->Remove(row.id);
    return started.status();
  }
  CrashPoint("task-leased-not-handed-out");
  NoteStart(row, claimant, group_count, missing.size());
  return task;
}

// An attempt after the first goes on where another ended: it asks for nothing
// new.
void Scheduler::NoteStart(const JobRow& row, const Claimant& claimant,
                          size_t groups, size_t missing) {
  std::optional<absl::Duration> waited;
  if (row.attempt == 0) {
    waited = absl::Now() - row.create_time;
    record_->AskedCache(groups - missing, missing);
  }
  record_->Started({.job = row.id, .attempt = row.attempt + 1}, claimant.worker,
                   waited);
}

// What the attempt of a worker that died, or forgot it, leaves.
void Scheduler::NoteDeath(const JobRow& job) {
  const auto held = running_->HeldFor(job.id);
  running_->Remove(job.id);
  if (held) record_->AttemptEnded(job.id, job.state, *held);
  if (!IsFinal(job.state)) return;
  record_->Ended(job.id, job.state, job.failure);
  scratch_->Remove(job.id);
}

absl::StatusOr<bool> Scheduler::AnswerFromCache(const JobRow& row,
                                                const JobPlan& plan) {
  std::map<int, std::string> provenance;
  int index = 0;
  for (const PlannedPart& part : plan.parts) {
    auto known = KnownProvenance(part);
    if (known) provenance[index] = *std::move(known);
    ++index;
  }
  MOEPROBE_ASSIGN_OR_RETURN(
      const bool answered,
      queue_->AnswerFromCache(row.id, plan.groups, provenance));
  if (!answered) return false;
  CrashPoint("job-answered-by-cache");
  if (row.attempt == 0) record_->AskedCache(plan.groups.size(), 0);
  record_->Ended(row.id, JobState::kSucceeded);
  scratch_->Remove(row.id);
  return true;
}

absl::Status Scheduler::AnswerLike(const std::string& request_key) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<JobRow> rows,
                            queue_->QueuedLike(request_key));
  for (const JobRow& row : rows) {
    MOEPROBE_ASSIGN_OR_RETURN(const v1::Job spec, SpecOf(row));
    MOEPROBE_ASSIGN_OR_RETURN(
        const JobPlan plan,
        planner_->Plan(spec, ResolveDevice(DeviceOf(spec))));
    MOEPROBE_RETURN_IF_ERROR(AnswerFromCache(row, plan).status());
  }
  return absl::OkStatus();
}

void Scheduler::WorkerStarted(int64_t worker) {
  record_->WorkerStarted();
  const MutexLock lock(claim_mutex_);
  dead_workers_.erase(worker);
}

absl::Status Scheduler::WorkerDied(int64_t worker, const std::string& reason) {
  record_->WorkerDied();
  return LoseWorker(worker, reason);
}

absl::Status Scheduler::LoseWorker(int64_t worker, const std::string& reason) {
  CrashPoint("worker-lost-not-stored");
  pulse_->End(worker);
  const MutexLock lock(claim_mutex_);
  dead_workers_.insert(worker);
  deaths_[worker] = reason;
  return SettleDeaths();
}

absl::Status Scheduler::EndForgottenAttempt(int64_t worker) {
  const MutexLock lock(claim_mutex_);
  return EndAttempt(
      worker, absl::StrCat("worker ", worker, " gave up without saying why"));
}

absl::Status Scheduler::EndAttempt(int64_t worker, const std::string& reason) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto job, attempts_->WorkerDied(worker, reason, kMaxCrashCount));
  if (job) CrashPoint("death-stored-not-acted-on");
  if (job) NoteDeath(*job);
  return absl::OkStatus();
}

absl::Status Scheduler::SettleDeaths() {
  while (!deaths_.empty()) {
    const auto& [worker, reason] = *deaths_.begin();
    MOEPROBE_RETURN_IF_ERROR(EndAttempt(worker, reason));
    deaths_.erase(deaths_.begin());
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
