#ifndef MOEPROBE_STORAGE_JOB_STORE_H_
#define MOEPROBE_STORAGE_JOB_STORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/access.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/limits.h"

namespace moeprobe {

// One model on one data set of a job.
struct NewJobPart {
  std::string prefix;                          // of its arrays
  std::optional<std::string> provenance = {};  // where it is known; opaque
};

// A job to be created.
struct NewJob {
  Access access;
  JobKind kind = JobKind::kAnalyze;
  JobPriority priority = JobPriority::kNormal;
  std::string spec;            // resolved request, opaque
  std::string request_key;     // the same for the same resolved request
  std::string request_id;      // of the owner; empty: none
  std::string request_digest;  // of the request as it came
  std::vector<NewJobPart> parts;
  std::vector<NeededGroup> groups;
  std::vector<std::string> runs = {};  // that it trains or analyses, by name
  JobNeeds needs = {};
  std::vector<std::string> warnings;
};

// What a submission came to.
struct CreatedJob {
  JobRow job;
  bool is_new = false;  // no earlier submission had the same request id

  // Whether it is new, and SUCCEEDED at once.
  bool is_cached() const { return is_new && job.cached; }
};

// A job and events of its history, as they were at one moment.
struct FollowedJob {
  JobRow job;
  std::vector<JobEventRow> events;
};

// Jobs and their histories, as users see them. Every change and its events are
// one transaction, on disk before the call returns. Thread-safe.
class JobStore {
 public:
  // `database` must outlive the store. `clock` tells the time of day.
  JobStore(Database* database, JobListener listener,
           std::function<absl::Time()> clock = absl::Now,
           const Limits& limits = {})
      : database_(database),
        listener_(std::move(listener)),
        clock_(std::move(clock)),
        limits_(limits) {}

  // Gives the jobs that nobody owns, those of before there were users, to the
  // user `owner`.
  absl::Status Adopt(const std::string& owner);

  // Creates a job: queued, or SUCCEEDED at once where the cache holds every
  // group it needs.
  //
  // Returns the earlier job if its owner used the request id with the same
  // digest, AlreadyExists if with another; ResourceExhausted if the job would
  // have to wait and more jobs wait already than the limits allow
  // (QueueLimitOf), or results take as much already as they may.
  absl::StatusOr<CreatedJob> Create(const NewJob& job);

  // Returns the job that a request of this owner with this id and digest made,
  // nullopt if there was none or the id is empty, AlreadyExists if it had
  // another digest.
  absl::StatusOr<std::optional<int64_t>> FindRequest(
      const std::string& owner, const std::string& request_id,
      const std::string& digest);

  // Returns a job. NotFound if there is none that the viewer may see.
  absl::StatusOr<JobRow> Get(const Viewer& viewer, int64_t id);

  // Returns up to `limit` jobs that the viewer may see, with ids below
  // `before`, newest first.
  absl::StatusOr<std::vector<JobRow>> List(const Viewer& viewer, int64_t before,
                                           int limit);

  // Returns a job with up to `limit` events after `sequence`, in order.
  // NotFound as in Get().
  absl::StatusOr<FollowedJob> Follow(const Viewer& viewer, int64_t id,
                                     int64_t sequence, int limit);

  // Whether the viewer may see a job that trains or analyses models of the
  // training run `run`.
  absl::StatusOr<bool> HasRun(const Viewer& viewer, const std::string& run);

  // Cancels a queued job, asks a running one to stop, and leaves others as
  // they are. Returns the state that it brought the job to, CANCELLED or
  // CANCELLING: of all who cancel a job, one is told each. NotFound as in
  // Get(), PermissionDenied if the job may be seen but not changed.
  absl::StatusOr<std::optional<JobState>> Cancel(const Viewer& viewer,
                                                 int64_t id);

  // Deletes a final job with its history; what the cache holds stays. Errors as
  // in Cancel(); FailedPrecondition if the job is not final.
  absl::Status Remove(const Viewer& viewer, int64_t id);

  // Keeps the results of a job from being dropped, or no more. Errors as in
  // Cancel(). If they are to be kept: FailedPrecondition if they were dropped,
  // ResourceExhausted if the results of the job's owner take more than they
  // may.
  absl::Status SetKept(const Viewer& viewer, int64_t id, bool is_kept);

 private:
  Database* database_;
  JobListener listener_;
  std::function<absl::Time()> clock_;
  Limits limits_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_JOB_STORE_H_
