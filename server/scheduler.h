#ifndef MOEPROBE_SERVER_SCHEDULER_H_
#define MOEPROBE_SERVER_SCHEDULER_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/estimator.h"
#include "server/job_ends.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/job_rests.h"
#include "server/memory_schedule.h"
#include "server/running_tasks.h"
#include "server/scratch.h"
#include "server/worker_pulse.h"
#include "storage/attempt_store.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {

// A worker that asks for a task.
struct Claimant {
  int64_t worker = 0;                     // process id
  bool has_cuda = false;                  // it can compute on a GPU
  std::optional<v1::MachineRates> rates;  // how fast it is
  std::function<bool()> gave_up;          // it waits no longer, once true
};

// Hands queued jobs to workers, in the order of JobQueue as far as
// MemorySchedule has room for them, and takes them back from workers that die.
// What the cache can answer never reaches a worker. Thread-safe.
class Scheduler {
 public:
  // A job fails when its worker has died so many times without a layer.
  static constexpr int kMaxCrashCount = 3;

  // All must outlive the scheduler.
  struct Parts {
    JobQueue* queue;
    AttemptStore* attempts;
    JobPlanner* planner;
    DataCatalog* catalog;
    Estimator* estimator;
    RunningTasks* running;
    MemorySchedule* memory;
    const Scratch* scratch;
    JobRests* rests;
    WorkerPulse* pulse;
    JobRecord* record;
    JobEnds* ends;
  };
  explicit Scheduler(const Parts& parts)
      : queue_(parts.queue),
        attempts_(parts.attempts),
        planner_(parts.planner),
        catalog_(parts.catalog),
        estimator_(parts.estimator),
        running_(parts.running),
        memory_(parts.memory),
        scratch_(parts.scratch),
        rests_(parts.rests),
        pulse_(parts.pulse),
        record_(parts.record),
        ends_(parts.ends) {}

  // Waits for a task until there is one; nullopt once the claimant has given
  // up or the scheduler stops: nothing starts for one that gave up, and what
  // had started by then is queued again. Aborted if the claimant is known to be
  // dead. An attempt that the claimant still holds is over: it knows nothing of
  // it any more.
  absl::StatusOr<std::optional<v1::Task>> Claim(const Claimant& claimant);

  // Looks at the queue again: some job has changed.
  void Wake();

  // Hands out nothing from now on; claimants wait.
  void Drain() { draining_ = true; }

  // Lets waiting claimants go and hands out nothing from now on.
  void Stop();

  // Answers the queued jobs with this request key from the cache, as far as it
  // holds what they need.
  absl::Status AnswerLike(const std::string& request_key);

  // Takes memory from jobs for models that are pinned; see MemorySchedule. No
  // job starts meanwhile.
  absl::Status AddPinned(int64_t bytes);
  // Gives it back.
  void RemovePinned(int64_t bytes);

  // A worker process has begun, or ended unasked for `reason`.
  void WorkerStarted(int64_t worker);
  absl::Status WorkerDied(int64_t worker, const std::string& reason);
  // A worker is given up, or was ended: what it holds ends for `reason`, and it
  // gets nothing else. If that cannot be noted now, say because the disk is
  // full, it will be at the next claim.
  absl::Status LoseWorker(int64_t worker, const std::string& reason);
  // The same of the worker of a task. False, and nothing happens, if it holds
  // another by now.
  absl::StatusOr<bool> LoseWorkerOf(const RunningTask& task,
                                    const std::string& reason);

  // Calls `change` while no job goes to a worker, and returns what it returns.
  absl::Status WhileNothingStarts(const std::function<absl::Status()>& change);

  // Where a job with this device will run, as far as workers have told.
  v1::Device ResolveDevice(v1::Device device) const;

  // Whether the worker that claimed last computes on a GPU.
  bool workers_have_cuda() const { return workers_have_cuda_; }

  // Workers that wait for a task.
  int idle_worker_count() const { return idle_worker_count_; }

 private:
  // What a claimant knew when it last looked at the queue.
  struct Seen {
    uint64_t change_count = 0;
    std::vector<int64_t> resting;
  };

  // What came of a queued job: a task; or it waits for memory; or neither, and
  // it is queued no more, or put off, or the claimant has given up.
  struct Outcome {
    std::optional<v1::Task> task = {};
    bool waits = false;
  };

  absl::StatusOr<std::optional<v1::Task>> TryClaim(const Claimant& claimant);
  absl::StatusOr<std::optional<v1::Task>> TryNext(const Claimant& claimant)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::StatusOr<std::optional<v1::Task>> TryBehind(int64_t first,
                                                    const Claimant& claimant)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::StatusOr<Outcome> Try(const JobRow& row, const Claimant& claimant,
                              const std::optional<Room>& room)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  Outcome Postpone(int64_t job, const absl::Status& reason);
  absl::StatusOr<Outcome> AwaitMissing(int64_t job,
                                       const absl::Status& missing);
  absl::StatusOr<Outcome> TryStart(const JobRow& row, const Claimant& claimant,
                                   const std::optional<Room>& room)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::StatusOr<v1::Task> Start(const JobRow& row, const Claimant& claimant,
                                 RunningTask running)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::Status PutBack(const v1::Task& task)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::StatusOr<bool> MayStart(const JobRow& row,
                                const std::optional<Room>& room,
                                RunningTask& running);
  absl::Status EndForgottenAttempt(const Claimant& claimant);
  absl::Status EndAttempt(int64_t worker, const std::string& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  void NoteStart(const JobRow& row, const Claimant& claimant, size_t groups,
                 size_t missing);
  absl::Status NoteDeath(int64_t worker, const std::string& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::Status SettleDeaths() ABSL_EXCLUSIVE_LOCKS_REQUIRED(claim_mutex_);
  absl::StatusOr<bool> AnswerFromCache(const JobRow& row, const JobPlan& plan);
  bool WaitForChange(const Seen& seen, const Claimant& claimant);

  JobQueue* queue_;
  AttemptStore* attempts_;
  JobPlanner* planner_;
  DataCatalog* catalog_;
  Estimator* estimator_;
  RunningTasks* running_;
  MemorySchedule* memory_;
  const Scratch* scratch_;
  JobRests* rests_;
  WorkerPulse* pulse_;
  JobRecord* record_;
  JobEnds* ends_;

  // Held from the look at the queue to the start of an attempt, and while a
  // death is noted: a job never goes to a worker that is known to be dead.
  Mutex claim_mutex_;
  std::set<int64_t> dead_workers_ ABSL_GUARDED_BY(claim_mutex_);
  // Deaths still to be noted: process ids and reasons.
  std::map<int64_t, std::string> deaths_ ABSL_GUARDED_BY(claim_mutex_);

  Mutex wake_mutex_;
  std::condition_variable_any wake_;
  uint64_t change_count_ ABSL_GUARDED_BY(wake_mutex_) = 0;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> idle_worker_count_ = 0;
  std::atomic<bool> workers_have_cuda_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SCHEDULER_H_
