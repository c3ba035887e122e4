#ifndef MOEPROBE_SERVER_METRICS_JOB_METRICS_H_
#define MOEPROBE_SERVER_METRICS_JOB_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "storage/job.h"

namespace moeprobe {

// Counts what becomes of jobs, and of the workers that run them, since the
// server started. Thread-safe.
//
//   moeprobe_jobs_submitted_total
//   moeprobe_jobs_ended_total{state}
//   moeprobe_job_waiting_seconds       from the submission to the first worker
//   moeprobe_attempt_seconds{end}      while a worker held a job
//   moeprobe_cache_groups_total{found} groups of arrays that jobs asked for
//   moeprobe_results_dropped_total     jobs
//   moeprobe_removed_bytes_total       of arrays and models
//   moeprobe_worker_starts_total, moeprobe_worker_deaths_total
class JobMetrics {
 public:
  // Adds the metrics to `registry`, which must outlive the object.
  explicit JobMetrics(prometheus::Registry& registry);

  void Submitted() { submitted_.Increment(); }
  void Ended(JobState state);
  void Waited(absl::Duration time);

  // How an attempt ended: with its job, given back, or with its worker.
  void AttemptEnded(JobState state, absl::Duration time);

  // Of the groups that a job needs, the cache held so many.
  void AskedCache(size_t held, size_t missing);

  void ResultsDropped() { results_dropped_.Increment(); }
  void Removed(int64_t bytes) {
    removed_bytes_.Increment(static_cast<double>(bytes));
  }

  void WorkerStarted() { worker_starts_.Increment(); }
  void WorkerDied() { worker_deaths_.Increment(); }

 private:
  prometheus::Counter& submitted_;
  prometheus::Family<prometheus::Counter>& ended_;
  prometheus::Histogram& waiting_;
  prometheus::Family<prometheus::Histogram>& attempts_;
  prometheus::Counter& cache_hits_;
  prometheus::Counter& cache_misses_;
  prometheus::Counter& results_dropped_;
  prometheus::Counter& removed_bytes_;
  prometheus::Counter& worker_starts_;
  prometheus::Counter& worker_deaths_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_METRICS_JOB_METRICS_H_
