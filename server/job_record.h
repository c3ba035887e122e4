#ifndef MOEPROBE_SERVER_JOB_RECORD_H_
#define MOEPROBE_SERVER_JOB_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/metrics/job_metrics.h"
#include "storage/job.h"

namespace moeprobe {

// Tells the operator what becomes of jobs and their workers: counts, and lines
// of the log. Called after the change is on disk. Thread-safe.
class JobRecord {
 public:
  // `metrics` must outlive the object.
  explicit JobRecord(JobMetrics* metrics) : metrics_(metrics) {}

  void Submitted(int64_t job);

  // A worker got it. `waited`: since the submission, the first time.
  void Started(const AttemptId& attempt, int64_t worker,
               std::optional<absl::Duration> waited);

  // A worker that held it for so long holds it no longer; the job is in
  // `state`, of which Ended() tells if it is final.
  void AttemptEnded(int64_t job, JobState state, absl::Duration held);

  // The job is final; `failure` says why where it failed.
  void Ended(int64_t job, JobState state,
             const std::optional<JobFailure>& failure = std::nullopt);

  // Of the groups that a job needs, the cache held so many.
  void AskedCache(size_t held, size_t missing) {
    metrics_->AskedCache(held, missing);
  }

  // The results of a job are stored no longer.
  void ResultsDropped(int64_t job, const std::string& reason);

  // So many bytes of arrays or models were removed.
  void Removed(int64_t bytes) { metrics_->Removed(bytes); }

  void WorkerStarted() { metrics_->WorkerStarted(); }
  void WorkerDied() { metrics_->WorkerDied(); }

 private:
  JobMetrics* metrics_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_RECORD_H_
