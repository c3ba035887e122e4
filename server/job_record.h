#ifndef MOEPROBE_SERVER_JOB_RECORD_H_
#define MOEPROBE_SERVER_JOB_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/metrics/job_metrics.h"
#include "storage/job.h"

namespace moeprobe {

// Tells the operator what becomes of jobs: a line of the log and a count each.
// Called after the change is on disk. Thread-safe.
class JobRecord {
 public:
  // `metrics` must outlive the object.
  explicit JobRecord(JobMetrics* metrics) : metrics_(metrics) {}

  void Submitted(int64_t job);

  // A worker got it. `waited`: since the submission, the first time.
  void Started(const AttemptId& attempt, int64_t worker,
               std::optional<absl::Duration> waited);

  // A worker that held it for so long holds it no longer; the job is in
  // `state`.
  void AttemptEnded(int64_t job, JobState state, absl::Duration held);

  // The job is final; `reason` where it failed.
  void Ended(int64_t job, JobState state, const std::string& reason = "");

 private:
  JobMetrics* metrics_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_RECORD_H_
