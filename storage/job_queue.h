#ifndef MOEPROBE_STORAGE_JOB_QUEUE_H_
#define MOEPROBE_STORAGE_JOB_QUEUE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/database.h"
#include "storage/job.h"

namespace moeprobe {

// How many jobs there are.
struct QueueDepth {
  std::map<JobState, int64_t> jobs;         // of every state
  std::optional<absl::Time> oldest_queued;  // when it was submitted
};

// The jobs that wait, as the scheduler sees them. Every change and its events
// are one transaction, on disk before the call returns. Thread-safe.
class JobQueue {
 public:
  // `database` must outlive the queue.
  JobQueue(Database* database, JobListener listener)
      : database_(database), listener_(std::move(listener)) {}

  // Returns the oldest queued job but for those that rest, or nullopt. A job
  // whose like is held by a worker waits: it will be answered from the cache.
  absl::StatusOr<std::optional<JobRow>> NextQueued(
      const std::vector<int64_t>& resting = {});

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
  // it has SUCCEEDED.
  absl::StatusOr<bool> AnswerFromCache(
      int64_t job, const std::vector<NeededGroup>& groups,
      const std::map<int, std::string>& provenance);

  // Gives a queued job to the worker with this process id. Aborted if it is no
  // longer queued.
  absl::StatusOr<AttemptId> Start(
      int64_t job, int64_t worker,
      std::optional<double> estimated_seconds = std::nullopt);

  // Fails a queued job.
  absl::Status FailQueued(int64_t job, const JobFailure& failure);

 private:
  Database* database_;
  JobListener listener_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_JOB_QUEUE_H_
