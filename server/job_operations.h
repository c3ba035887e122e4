#ifndef MOEPROBE_SERVER_JOB_OPERATIONS_H_
#define MOEPROBE_SERVER_JOB_OPERATIONS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/job_service.pb.h"
#include "server/data_catalog.h"
#include "server/estimator.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/metrics/job_metrics.h"
#include "server/model_registry.h"
#include "server/scheduler.h"
#include "server/scratch.h"
#include "storage/job_store.h"

namespace moeprobe {

// What clients do with jobs; see JobService. Thread-safe.
class JobOperations {
 public:
  // All must outlive the object.
  struct Parts {
    JobStore* jobs;
    ModelRegistry* models;
    DataCatalog* catalog;
    JobPlanner* planner;
    Scheduler* scheduler;
    Estimator* estimator;
    const Scratch* scratch;
    JobMetrics* metrics;
    JobRecord* record;
    // Sees to it that a worker that was asked to stop does.
    std::function<void(const JobRow&)> enforce_cancel;
  };
  explicit JobOperations(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<v1::Job> Create(const v1::CreateJobRequest& request);
  v1::ValidateJobResponse Validate(const v1::ValidateJobRequest& request);
  absl::StatusOr<v1::Job> Get(const std::string& name);
  absl::StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> Cancel(const std::string& name);
  absl::Status Remove(const std::string& name);

  // Refuses new jobs from now on.
  void Stop() { stopping_ = true; }

 private:
  absl::StatusOr<v1::Job> GetById(int64_t id);
  void NoteCreation(const JobRow& row, const NewJob& job);
  absl::StatusOr<JobPlan> PlanOf(const v1::Job& resolved);
  absl::StatusOr<std::optional<v1::Estimate>> EstimateOf(
      const v1::Job& resolved);

  Parts parts_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_OPERATIONS_H_
