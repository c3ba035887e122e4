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
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "server/data_catalog.h"
#include "server/estimator.h"
#include "server/job_ends.h"
#include "server/job_places.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/memory_schedule.h"
#include "server/model_registry.h"
#include "server/request_resolution.h"
#include "server/scheduler.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/job_store.h"

namespace moeprobe {

// A job as it would be created.
struct ResolvedJob {
  ModelRegistry models;  // of this request
  ResolvedRequest request;
  Access access;
  JobPriority priority = JobPriority::kNormal;
};

// What users do with jobs; see JobService. Thread-safe.
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
    const MemorySchedule* memory;
    JobRecord* record;
    JobEnds* ends;
    const JobPlaces* places;
    // Of jobs whose request does not say.
    v1::Visibility default_visibility;
    // Sees to it that a worker that was asked to stop does.
    std::function<void(const JobRow&)> enforce_cancel;
  };
  explicit JobOperations(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<v1::Job> Create(const Viewer& user,
                                 const v1::CreateJobRequest& request);
  v1::ValidateJobResponse Validate(const Viewer& user,
                                   const v1::ValidateJobRequest& request);
  absl::StatusOr<v1::Job> Get(const Viewer& user, const std::string& name);
  absl::StatusOr<v1::ListJobsResponse> List(const Viewer& user,
                                            const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> Cancel(const Viewer& user, const std::string& name);
  absl::StatusOr<v1::Job> SetKept(const Viewer& user, const std::string& name,
                                  bool is_kept);
  absl::Status Remove(const Viewer& user, const std::string& name);

  // Refuses new jobs from now on.
  void Stop() { stopping_ = true; }

 private:
  ResolvedJob Resolve(const Viewer& user, const v1::Job& job);
  absl::Status SayWhen(const Viewer& user, const absl::Status& refusal) const;
  void NoteCreation(const CreatedJob& created, const NewJob& job);
  absl::StatusOr<JobPlan> PlanOf(ResolvedJob& resolved);
  JobNeeds NeedsOf(const v1::Job& resolved, const JobPlan& plan);
  void AddEstimate(const v1::Estimate& estimate,
                   v1::ValidateJobResponse& response);
  absl::StatusOr<std::optional<v1::Estimate>> EstimateOf(ResolvedJob& resolved);

  Parts parts_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_OPERATIONS_H_
