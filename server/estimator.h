#ifndef MOEPROBE_SERVER_ESTIMATOR_H_
#define MOEPROBE_SERVER_ESTIMATOR_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/bounded_directory.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "storage/estimate_store.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {

// Tells what jobs will take before they run: by what their definitions call
// for, what the cache and stored hidden states spare, how fast workers are, and
// how long jobs of the same model took. Thread-safe.
class Estimator {
 public:
  // `hidden_states`: where workers keep them. All must outlive the estimator.
  Estimator(JobQueue* queue, EstimateStore* store,
            BoundedDirectory hidden_states)
      : queue_(queue),
        store_(store),
        hidden_states_(std::move(hidden_states)) {}

  // A worker has told how fast it is.
  void SetRates(const v1::MachineRates& rates);

  // Returns what a planned job will take now on such a device; nullopt where no
  // worker has told its rates yet.
  absl::StatusOr<std::optional<v1::Estimate>> Estimate(const JobPlan& plan,
                                                       v1::Device device);

  // Returns the same as far as it matters for whether a worker has room.
  absl::StatusOr<JobNeeds> Needs(const JobPlan& plan, v1::Device device);

  // Takes in how long a job took that had this estimate.
  absl::Status Learn(const JobPlan& plan, double estimated_seconds,
                     double measured_seconds);

 private:
  std::optional<v1::MachineRates> rates() const;

  JobQueue* queue_;
  EstimateStore* store_;
  BoundedDirectory hidden_states_;
  mutable Mutex mutex_;
  std::optional<v1::MachineRates> rates_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ESTIMATOR_H_
