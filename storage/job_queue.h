#ifndef MOEPROBE_STORAGE_JOB_QUEUE_H_
#define MOEPROBE_STORAGE_JOB_QUEUE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/limits.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// How many jobs there are.
struct QueueDepth {
  std::map<JobState, int64_t> jobs;         // of every state
  std::optional<absl::Time> oldest_queued;  // when it was submitted
};

// A queued job and the memory that it takes.
struct LargestJob {
  int64_t job = 0;
  int64_t bytes = 0;
};

// Memory for jobs that go before others, which wait for more of it.
struct Room {
  int64_t bytes = 0;        // for a job of any length
  int64_t brief_bytes = 0;  // for one that is expected to take no longer
  double brief_seconds = 0;
};

// The jobs that wait, as the scheduler sees them. Every change and its events
// are one transaction, on disk before the call returns. Thread-safe.
//
// The order: jobs of high priority go first; then those of normal priority, and
// with them those of low priority that have waited for kLowPatience; then the
// rest. Among these, the user is next who had the least of the workers by their
// weight (ShareStore), where what a worker holds counts as what it is expected
// to take, or has taken if that is more; and of one user, the oldest job. All
// of that is in the database: a restart changes no order.
class JobQueue {
 public:
  // After this time a job of low priority waits as one of normal priority. So
  // does one that will have come that far in the future: the machine's time was
  // set back, and nobody knows since when it waits.
  static constexpr absl::Duration kLowPatience = absl::Hours(24);

  // `database` must outlive the queue. `clock` measures attempts and shares, as
  // for AttemptStore; `wall` tells the time of day.
  JobQueue(Database* database, JobListener listener,
           std::function<absl::Time()> clock = absl::Now,
           const Limits& limits = {},
           std::function<absl::Time()> wall = absl::Now)
      : database_(database),
        listener_(std::move(listener)),
        clock_(std::move(clock)),
        limits_(limits),
        wall_(std::move(wall)) {}

  // Returns the job that goes next, or nullopt, but for those that are passed
  // over and those that are known to take more memory than there is room for;
  // without `room` there is for any. A job whose like is held by a worker
  // waits: it will be answered from the cache. So do those of users who hold as
  // many workers as one may.
  absl::StatusOr<std::optional<JobRow>> NextQueued(
      const std::vector<int64_t>& passed_over = {},
      const std::optional<Room>& room = std::nullopt);

  // Returns what Forecast() needs, in the order of NextQueued(), as if no job
  // rested.
  absl::StatusOr<QueueSnapshot> Snapshot();

  absl::StatusOr<QueueDepth> Depth();

  // Returns the queued jobs with this request key.
  absl::StatusOr<std::vector<JobRow>> QueuedLike(
      const std::string& request_key);

  // Returns the groups the job still needs, without keys.
  absl::StatusOr<std::vector<NeededGroup>> MissingGroups(int64_t job);

  // Returns those of `groups` that the cache does not hold.
  absl::StatusOr<std::vector<NeededGroup>> NotCached(
      const std::vector<NeededGroup>& groups);

  // Gives a queued job what the cache holds of `groups` and notes where
  // numbers come from, by part. Returns whether that was all it needed: then
  // it has SUCCEEDED. Nobody is told where nothing of that is new: the
  // scheduler would look again, and find the same.
  absl::StatusOr<bool> AnswerFromCache(
      int64_t job, const std::vector<NeededGroup>& groups,
      const std::map<int, std::string>& provenance);

  // Gives a queued job to the worker with this process id. Aborted if it is no
  // longer queued.
  absl::StatusOr<AttemptId> Start(int64_t job, int64_t worker,
                                  const JobNeeds& needs = {});

  // Notes what a queued job is found to take, of which nobody is told.
  absl::Status NoteNeeds(int64_t job, const JobNeeds& needs);

  // Returns the job that is known to take most memory, of those that wait, and
  // how much; nullopt if there is none.
  absl::StatusOr<std::optional<LargestJob>> Largest();

  // Fails a queued job.
  absl::Status FailQueued(int64_t job, const JobFailure& failure);

 private:
  Database* database_;
  JobListener listener_;
  std::function<absl::Time()> clock_;
  Limits limits_;
  std::function<absl::Time()> wall_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_JOB_QUEUE_H_
