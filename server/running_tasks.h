#ifndef MOEPROBE_SERVER_RUNNING_TASKS_H_
#define MOEPROBE_SERVER_RUNNING_TASKS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/memory_schedule.h"
#include "storage/job.h"

namespace moeprobe {

// What the server knows of a task that a worker holds.
struct RunningTask {
  using Clock = std::chrono::steady_clock;

  // Returns for how long a worker has held it.
  absl::Duration Age(Clock::time_point now = Clock::now()) const {
    return absl::FromChrono(now - start);
  }

  AttemptId attempt;
  int64_t worker = 0;       // process id
  std::string request_key;  // of the job
  v1::Job spec;             // of the job, resolved, and nothing else
  v1::Device device = v1::DEVICE_CPU;
  JobPlan plan;                // when it was claimed
  v1::Task task;               // as handed out
  std::vector<int> job_parts;  // the job's part, for each part of the task
  absl::Time start_time = absl::Now();  // as it is shown
  Clock::time_point start = Clock::now();
  absl::Duration before;     // that, the job's first attempt began
  JobNeeds needs;            // as far as they are known
  int64_t memory_bytes = 0;  // that it counts as
};

// The tasks that workers hold. They end with the server, and so do the
// attempts: nothing here has to last. Thread-safe.
class RunningTasks {
 public:
  using Clock = RunningTask::Clock;

  // Takes the place of an earlier attempt at the same job.
  void Add(RunningTask task);

  // Returns the task of a job, or Aborted if `attempt` does not hold it.
  absl::StatusOr<std::shared_ptr<const RunningTask>> Find(
      const std::string& job_name, int attempt);

  // Returns what workers hold.
  std::vector<std::shared_ptr<const RunningTask>> All() const;

  // Returns the tasks that use the model in this directory.
  std::vector<std::shared_ptr<const RunningTask>> Using(
      const std::filesystem::path& directory) const;

  // Returns what tasks are expected to take of memory.
  std::vector<HeldMemory> Memory() const;

  // Returns the task that a worker holds, null if it holds none.
  std::shared_ptr<const RunningTask> HeldBy(int64_t worker) const;

  // An attempt says how far it is, which means that it gets on if it has not
  // said so before.
  void NoteProgress(const AttemptId& attempt, const std::string& phase,
                    double fraction, Clock::time_point now = Clock::now());

  // An attempt has published a layer: it gets on.
  void NoteLayer(const AttemptId& attempt,
                 Clock::time_point now = Clock::now());

  // Returns the tasks that have not got on for so long.
  std::vector<std::shared_ptr<const RunningTask>> Stalled(
      std::chrono::seconds patience,
      Clock::time_point now = Clock::now()) const;

  // Returns the tasks whose jobs a worker first took so long ago.
  std::vector<std::shared_ptr<const RunningTask>> Overdue(
      absl::Duration most, Clock::time_point now = Clock::now()) const;

  // Forgets the task that `attempt` holds and returns it, null if it holds
  // none.
  std::shared_ptr<const RunningTask> Remove(const AttemptId& attempt);

  // Returns the names of the training runs of tasks that have ended since the
  // last call.
  std::set<std::string> TakeEndedRuns();

  // Waits until there is none, at most so long. Returns whether there is none.
  bool WaitUntilEmpty(std::chrono::milliseconds patience);

 private:
  // A task, and how far it is.
  struct Held {
    std::shared_ptr<const RunningTask> task;
    std::string phase;
    double fraction = 0;
    Clock::time_point got_on;
  };

  // Returns when a task is expected to end, nullopt if nobody can tell.
  static std::optional<Clock::time_point> ExpectedEnd(const Held& held);

  // Returns what `attempt` holds, null if it is over.
  Held* Find(const AttemptId& attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::condition_variable_any removed_;
  std::map<int64_t, Held> tasks_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> ended_runs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RUNNING_TASKS_H_
