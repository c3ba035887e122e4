#ifndef MOEPROBE_STORAGE_ATTEMPT_STORE_H_
#define MOEPROBE_STORAGE_ATTEMPT_STORE_H_

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
#include "storage/published_layer.h"

namespace moeprobe {

// How an attempt ended.
struct AttemptEnd {
  std::optional<JobFailure> failure;
  std::map<int, std::string> provenance;   // by part, opaque
  std::map<int, std::string> environment;  // by part, opaque
  std::vector<std::string> warnings;       // new ones
};

// Jobs that workers hold: reported on, published layer by layer, finished.
// Calls that carry an AttemptId fail with Aborted once another attempt, or
// none, holds the job. Every change and its events are one transaction, on disk
// before the call returns. Thread-safe.
class AttemptStore {
 public:
  // `database` must outlive the store. `clock` measures attempts, for which
  // the owners of the jobs are charged as they end; see ShareStore. `wall`
  // tells the time of day.
  AttemptStore(Database* database, JobListener listener,
               std::function<absl::Time()> clock = absl::Now,
               std::function<absl::Time()> wall = absl::Now)
      : database_(database),
        listener_(std::move(listener)),
        clock_(std::move(clock)),
        wall_(std::move(wall)) {}

  // Notes progress and new warnings. Progress goes into the job's history too
  // where its fraction has moved by half a percent, or where what is done, the
  // phase up to its first colon, was not told of before. Returns whether the
  // worker should stop.
  absl::StatusOr<bool> Report(const AttemptId& attempt,
                              const std::string& phase, double fraction,
                              const std::vector<std::string>& warnings);

  // Stores a layer, all of it or nothing, and remembers its fingerprint. What
  // the cache holds already stays as it is. Crashes are counted anew if this
  // gives the job something that it lacked.
  absl::Status Publish(const AttemptId& attempt, const PublishedLayer& layer);

  // Ends the attempt and the job. Without a failure the job succeeds, or fails
  // with INTERNAL where groups are missing. A worker that gave up unasked
  // (CANCELLED while the job runs) puts the job back into the queue. Returns
  // the job's new state.
  absl::StatusOr<JobState> Finish(const AttemptId& attempt,
                                  const AttemptEnd& end);

  // Ends the attempt of a worker that died, if it held a job: the job is
  // queued again, with `reason` in its history, or fails with `reason` if this
  // was crash `max_crash_count` since it last got a layer; one that was being
  // cancelled is CANCELLED. Returns that job.
  absl::StatusOr<std::optional<JobRow>> WorkerDied(int64_t worker,
                                                   const std::string& reason,
                                                   int max_crash_count);

  // Queues all running jobs again and cancels those being cancelled, without
  // blame: the server, not a worker, stopped. Their owners are charged for what
  // is known: up to when each job's worker last told how far it is.
  absl::Status ReleaseAll();

  // Returns the ids of all jobs that are not final.
  absl::StatusOr<std::vector<int64_t>> OpenJobs();

 private:
  Database* database_;
  JobListener listener_;
  std::function<absl::Time()> clock_;
  std::function<absl::Time()> wall_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_ATTEMPT_STORE_H_
