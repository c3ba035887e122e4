#include "server/metrics/job_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

// Seconds, up to a day: from answers of the cache to sweeps over night.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.1, 1, 10, 60, 300, 900, 3600, 14'400, 43'200, 86'400};
  return buckets;
}

prometheus::Family<prometheus::Counter>& CounterFamily(
    prometheus::Registry& registry, const std::string& name,
    const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

std::string LabelOf(JobState state) {
  return absl::AsciiStrToLower(NameOf(state));
}

}  // namespace

JobMetrics::JobMetrics(prometheus::Registry& registry)
    : submitted_(CounterFamily(registry, "moeprobe_jobs_submitted_total",
                               "Jobs that were accepted")
                     .Add({})),
      ended_(CounterFamily(registry, "moeprobe_jobs_ended_total",
                           "Jobs that ended")),
      waiting_(prometheus::BuildHistogram()
                   .Name("moeprobe_job_waiting_seconds")
                   .Help("Time from a job's submission to its first worker")
                   .Register(registry)
                   .Add({}, Buckets())),
      attempts_(prometheus::BuildHistogram()
                    .Name("moeprobe_attempt_seconds")
                    .Help("Time that a worker held a job")
                    .Register(registry)),
      cache_hits_(
          CounterFamily(registry, "moeprobe_cache_groups_total",
                        "Groups of arrays that jobs asked the cache for")
              .Add({{"found", "yes"}})),
      cache_misses_(CounterFamily(registry, "moeprobe_cache_groups_total", "")
                        .Add({{"found", "no"}})),
      results_dropped_(CounterFamily(registry, "moeprobe_results_dropped_total",
                                     "Jobs whose results were dropped")
                           .Add({})),
      removed_bytes_(CounterFamily(registry, "moeprobe_removed_bytes_total",
                                   "Bytes of arrays and models removed")
                         .Add({})),
      worker_starts_(CounterFamily(registry, "moeprobe_worker_starts_total",
                                   "Worker processes that were started")
                         .Add({})),
      worker_deaths_(CounterFamily(registry, "moeprobe_worker_deaths_total",
                                   "Worker processes that ended unasked")
                         .Add({})) {
  // Series are there from the start: a rate needs the value before.
  for (const JobState state :
       {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
    ended_.Add({{"state", LabelOf(state)}});
  }
}

void JobMetrics::Ended(JobState state) {
  ended_.Add({{"state", LabelOf(state)}}).Increment();
}

void JobMetrics::Waited(absl::Duration time) {
  waiting_.Observe(absl::ToDoubleSeconds(time));
}

void JobMetrics::AttemptEnded(JobState state, absl::Duration time) {
  attempts_.Add({{"end", LabelOf(state)}}, Buckets())
      .Observe(absl::ToDoubleSeconds(time));
}

void JobMetrics::AskedCache(size_t held, size_t missing) {
  cache_hits_.Increment(static_cast<double>(held));
  cache_misses_.Increment(static_cast<double>(missing));
}

}  // namespace moeprobe
