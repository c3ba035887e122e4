#include "server/scheduler.h"

#include <algorithm>
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
#include "core/base/disk_error.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_messages.h"
#include "server/job_plan.h"
#include "server/job_rests.h"
#include "server/log.h"
#include "server/memory_schedule.h"
#include "server/running_tasks.h"
#include "server/task_builder.h"
#include "storage/attempt_store.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {
namespace {

// How often a claim looks whether its worker still waits, and jobs still rest.
constexpr std::chrono::milliseconds kPatience{500};
// How many jobs are planned at one look at the queue that turn out not to fit
// behind one that waits for memory. What they take is noted then, so the next
// look gets further.
constexpr size_t kMostMisfits = 64;

JobFailure FailureOf(const absl::Status& status) {
  return {.code = static_cast<int>(status.code()),
          .message = std::string(status.message())};
}

void LogPutOff(int64_t job, const absl::Status& reason) {
  LogWarning("put off",
             {JobField(job), {"reason", std::string(reason.message())}});
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
  MOEPROBE_RETURN_IF_ERROR(EndForgottenAttempt(claimant));
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
  MOEPROBE_ASSIGN_OR_RETURN(auto task, TryNext(claimant));
  if (!task || !claimant.gave_up()) return task;
  MOEPROBE_RETURN_IF_ERROR(PutBack(*task));
  return std::nullopt;
}

absl::StatusOr<std::optional<v1::Task>> Scheduler::TryNext(
    const Claimant& claimant) {
  while (!draining_ && !claimant.gave_up()) {
    if (dead_workers_.contains(claimant.worker)) {
      return absl::AbortedError(
          absl::StrCat("worker ", claimant.worker, " has ended"));
    }
    MOEPROBE_ASSIGN_OR_RETURN(const auto row,
                              queue_->NextQueued(rests_->Resting()));
    if (!row) return std::nullopt;
    MOEPROBE_ASSIGN_OR_RETURN(Outcome outcome,
                              Try(*row, claimant, /*room=*/std::nullopt));
    if (outcome.task) return std::move(outcome.task);
    if (outcome.waits) return TryBehind(row->id, claimant);
  }
  return std::nullopt;
}

// Where the job that goes next, `first`, waits for memory.
absl::StatusOr<std::optional<v1::Task>> Scheduler::TryBehind(
    int64_t first, const Claimant& claimant) {
  std::vector<int64_t> misfits = {first};
  while (misfits.size() <= kMostMisfits && !draining_ && !claimant.gave_up()) {
    std::vector<int64_t> passed_over = rests_->Resting();
    passed_over.insert(passed_over.end(), misfits.begin(), misfits.end());
    const auto room =
        memory_->RoomBehind(running_->Memory(), MemorySchedule::Clock::now());
    MOEPROBE_ASSIGN_OR_RETURN(const auto row,
                              queue_->NextQueued(passed_over, room));
    if (!row) return std::nullopt;
    MOEPROBE_ASSIGN_OR_RETURN(Outcome outcome, Try(*row, claimant, room));
    if (outcome.task) return std::move(outcome.task);
    if (outcome.waits) misfits.push_back(row->id);
  }
  return std::nullopt;
}

// A job that cannot run fails.
absl::StatusOr<Scheduler::Outcome> Scheduler::Try(
    const JobRow& row, const Claimant& claimant,
    const std::optional<Room>& room) {
  auto outcome = TryStart(row, claimant, room);
  if (absl::IsAborted(outcome.status())) return Outcome{};
  if (outcome.ok() || MayPass(outcome.status())) return outcome;
  const JobFailure failure = FailureOf(outcome.status());
  MOEPROBE_RETURN_IF_ERROR(queue_->FailQueued(row.id, failure));
  ends_->JobEnded(row.id, JobState::kFailed, failure);
  return Outcome{};
}

absl::StatusOr<Scheduler::Outcome> Scheduler::TryStart(
    const JobRow& row, const Claimant& claimant,
    const std::optional<Room>& room) {
  RunningTask running;
  running.request_key = row.request_key;
  MOEPROBE_ASSIGN_OR_RETURN(running.spec, SpecOf(row));
  running.device = ResolveDevice(DeviceOf(running.spec));
  auto plan = planner_->Plan(running.spec, running.device);
  if (MayPass(plan.status())) return Postpone(row.id, plan.status());
  if (absl::IsNotFound(plan.status())) {
    return AwaitMissing(row.id, plan.status());
  }
  MOEPROBE_ASSIGN_OR_RETURN(running.plan, std::move(plan));
  MOEPROBE_ASSIGN_OR_RETURN(const bool answered,
                            AnswerFromCache(row, running.plan));
  if (answered) return Outcome{};
  MOEPROBE_ASSIGN_OR_RETURN(const bool may_start, MayStart(row, room, running));
  if (!may_start) return Outcome{.waits = true};
  MOEPROBE_ASSIGN_OR_RETURN(v1::Task task,
                            Start(row, claimant, std::move(running)));
  return Outcome{.task = std::move(task)};
}

// What a job needs may fail to be read for a while: others do not wait for
// that.
Scheduler::Outcome Scheduler::Postpone(int64_t job,
                                       const absl::Status& reason) {
  LogPutOff(job, reason);
  rests_->Pause(job);
  return {};
}

// What is not there may be on a disk that is mounted late, and may be gone for
// good: nobody can tell, so that the job waits, but not for ever.
absl::StatusOr<Scheduler::Outcome> Scheduler::AwaitMissing(
    int64_t job, const absl::Status& missing) {
  if (rests_->Begin(job)) {
    LogPutOff(job, missing);
    return Outcome{};
  }
  return absl::NotFoundError(absl::StrCat(missing.message(), " (",
                                          JobRests::kMaxCount + 1, " times)"));
}

// Fills in what the task takes. One of which nobody knows has all memory for
// itself.
absl::StatusOr<bool> Scheduler::MayStart(const JobRow& row,
                                         const std::optional<Room>& room,
                                         RunningTask& running) {
  MOEPROBE_ASSIGN_OR_RETURN(running.needs,
                            estimator_->Needs(running.plan, running.device));
  running.memory_bytes =
      running.needs.memory_bytes.value_or(memory_->job_bytes());
  MOEPROBE_RETURN_IF_ERROR(memory_->Check(running.memory_bytes));
  const bool may_start =
      room ? Fits(running.needs, *room)
           : memory_->MayStart(row.id, running.memory_bytes, running_->Memory(),
                               MemorySchedule::Clock::now());
  if (!may_start && running.needs != row.needs) {
    MOEPROBE_RETURN_IF_ERROR(queue_->NoteNeeds(row.id, running.needs));
  }
  return may_start;
}

absl::StatusOr<v1::Task> Scheduler::Start(const JobRow& row,
                                          const Claimant& claimant,
                                          RunningTask running) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<NeededGroup> missing,
                            queue_->MissingGroups(row.id));
  running.attempt = {.job = row.id, .attempt = row.attempt + 1};
  running.worker = claimant.worker;
  // By the machine's time, since servers may have come and gone.
  if (row.start_time) {
    running.before =
        std::max(running.start_time - *row.start_time, absl::ZeroDuration());
  }
  MOEPROBE_RETURN_IF_ERROR(scratch_->Make(row.id, running.task));
  MOEPROBE_RETURN_IF_ERROR(BuildTask(missing, *catalog_, running));
  v1::Task task = running.task;
  const AttemptId attempt = running.attempt;
  const JobNeeds needs = running.needs;
  const size_t group_count = running.plan.groups.size();
  // To plan takes time, and so may others who held the lock.
  if (claimant.gave_up()) {
    return absl::AbortedError(
        absl::StrCat("worker ", claimant.worker, " waits no longer"));
  }
  pulse_->Beat(claimant.worker);  // its lease begins
  running_->Add(std::move(running));
  CrashPoint("task-made-not-leased");
  const auto started = queue_->Start(row.id, claimant.worker, needs);
  if (!started.ok()) {
    running_->Remove(attempt);
    // It has ended meanwhile, as a job does that somebody cancels.
    if (absl::IsAborted(started.status())) scratch_->Remove(row.id);
    return started.status();
  }
  CrashPoint("task-leased-not-handed-out");
  NoteStart(row, claimant, group_count, missing.size());
  return task;
}

// Nobody has seen the task, so that nobody is to blame. No other attempt begins
// before this one is forgotten: the lock is held.
absl::Status Scheduler::PutBack(const v1::Task& task) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto held,
                            running_->Find(task.job(), task.attempt()));
  AttemptEnd end;
  end.failure = FailureOf(absl::CancelledError("nobody waited for it"));
  MOEPROBE_ASSIGN_OR_RETURN(const JobState state,
                            attempts_->Finish(held->attempt, end));
  ends_->AttemptEnded(held->attempt, state, /*failure=*/std::nullopt);
  return absl::OkStatus();
}

// An attempt after the first goes on where another ended: it asks for nothing
// new.
void Scheduler::NoteStart(const JobRow& row, const Claimant& claimant,
                          size_t groups, size_t missing) {
  std::optional<absl::Duration> waited;
  if (row.attempt == 0) {
    waited = std::max(absl::Now() - row.create_time, absl::ZeroDuration());
    record_->AskedCache(groups - missing, missing);
  }
  record_->Started({.job = row.id, .attempt = row.attempt + 1}, claimant.worker,
                   waited);
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
  ends_->JobEnded(row.id, JobState::kSucceeded);
  return true;
}

absl::Status Scheduler::AnswerLike(const std::string& request_key) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<JobRow> rows,
                            queue_->QueuedLike(request_key));
  for (const JobRow& row : rows) {
    MOEPROBE_ASSIGN_OR_RETURN(const v1::Job spec, SpecOf(row));
    const auto plan = planner_->Plan(spec, ResolveDevice(DeviceOf(spec)));
    if (!plan.ok()) continue;  // who claims it deals with that
    MOEPROBE_RETURN_IF_ERROR(AnswerFromCache(row, *plan).status());
  }
  return absl::OkStatus();
}

absl::Status Scheduler::AddPinned(int64_t bytes) {
  const MutexLock lock(claim_mutex_);
  MOEPROBE_ASSIGN_OR_RETURN(const auto largest, queue_->Largest());
  return memory_->AddPinned(bytes, running_->Memory(), largest);
}

void Scheduler::RemovePinned(int64_t bytes) {
  memory_->RemovePinned(bytes);
  Wake();
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
  const MutexLock lock(claim_mutex_);
  return NoteDeath(worker, reason);
}

// It gets no other task while the lock is held.
absl::StatusOr<bool> Scheduler::LoseWorkerOf(const RunningTask& task,
                                             const std::string& reason) {
  const MutexLock lock(claim_mutex_);
  const auto held = running_->HeldBy(task.worker);
  if (held != nullptr && held->attempt != task.attempt) return false;
  MOEPROBE_RETURN_IF_ERROR(NoteDeath(task.worker, reason));
  return true;
}

absl::Status Scheduler::NoteDeath(int64_t worker, const std::string& reason) {
  pulse_->End(worker);
  dead_workers_.insert(worker);
  deaths_[worker] = reason;
  return SettleDeaths();
}

// A claim that is over by now says nothing about what a later one was given.
absl::Status Scheduler::EndForgottenAttempt(const Claimant& claimant) {
  const MutexLock lock(claim_mutex_);
  if (claimant.gave_up()) return absl::OkStatus();
  return EndAttempt(
      claimant.worker,
      absl::StrCat("worker ", claimant.worker, " gave up without saying why"));
}

absl::Status Scheduler::EndAttempt(int64_t worker, const std::string& reason) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto job, attempts_->WorkerDied(worker, reason, kMaxCrashCount));
  if (!job) return absl::OkStatus();
  CrashPoint("death-stored-not-acted-on");
  ends_->AttemptEnded({.job = job->id, .attempt = job->attempt}, job->state,
                      job->failure);
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
