#ifndef MOEPROBE_STORAGE_RETENTION_STORE_H_
#define MOEPROBE_STORAGE_RETENTION_STORE_H_

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
#include "storage/database.h"
#include "storage/job.h"

namespace moeprobe {

// What was removed of the cache.
struct RemovedEntries {
  int64_t count = 0;
  int64_t bytes = 0;
  std::vector<std::string> blobs;  // SHA-256 of large arrays among them
};

// What is stored of results, and how it goes, in steps that are each one short
// transaction: first a job is marked, and nobody is shown its results any more;
// then it lets go of what it shares with others, by and by; what belongs to no
// job is removed. A server that dies between two steps goes on with the next.
// Files are the caller's to remove. Thread-safe.
class RetentionStore {
 public:
  // Rows that a step changes at most.
  static constexpr int kStep = 256;

  // `database` must outlive the store. `clock` says when results are dropped.
  RetentionStore(Database* database, JobListener listener,
                 std::function<absl::Time()> clock = absl::Now)
      : database_(database),
        listener_(std::move(listener)),
        clock_(std::move(clock)) {}

  // Returns the bytes of arrays and models that are stored, those of the cache
  // that belong to no job included.
  absl::StatusOr<int64_t> Bytes();

  // Returns those of them that belong to no job.
  absl::StatusOr<int64_t> UnclaimedBytes();

  // Marks the results of the job that ended first, of those that nobody keeps
  // and that ended by `end`, as dropped for `reason`. Returns that job, nullopt
  // if there is none.
  absl::StatusOr<std::optional<int64_t>> DropEndedBy(absl::Time end,
                                                     const std::string& reason);

  // The same of the job that ended first of those that answer for something.
  absl::StatusOr<std::optional<int64_t>> DropOldest(const std::string& reason);

  // Lets jobs whose results were dropped go of some of what they hold. Returns
  // whether there was any.
  absl::StatusOr<bool> Release();

  // Removes some entries of the cache that belong to no job, oldest first: of
  // those that were made by `made`, no more than it takes to make room for
  // `bytes`.
  absl::StatusOr<RemovedEntries> RemoveUnclaimed(absl::Time made,
                                                 int64_t bytes);

  // Whether some row stands for a blob.
  absl::StatusOr<bool> HasBlob(const std::string& sha256);

  // Returns the names of all runs, and of those that belong to no job.
  absl::StatusOr<std::vector<std::string>> Runs();
  absl::StatusOr<std::vector<std::string>> UnclaimedRuns();

  // Notes what the models of a run take, if the run is known.
  absl::Status SetRunBytes(const std::string& run, int64_t bytes);

  // Forgets a run whose models are gone, unless some job has it again.
  absl::Status ForgetRun(const std::string& run);

  // Returns jobs that train models and have no runs: of before runs were noted.
  absl::StatusOr<std::vector<JobRow>> JobsWithoutRuns();

  // Notes the runs of such a job.
  absl::Status AddRuns(int64_t job, const std::vector<std::string>& runs);

 private:
  absl::StatusOr<std::optional<int64_t>> Drop(const char* which, absl::Time end,
                                              const std::string& reason);

  Database* database_;
  JobListener listener_;
  std::function<absl::Time()> clock_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_RETENTION_STORE_H_
