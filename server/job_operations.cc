#include "server/job_operations.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/quoted.h"
#include "core/base/retry_delay.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "server/data_catalog.h"
#include "server/job_messages.h"
#include "server/job_plan.h"
#include "server/message_digest.h"
#include "server/model_registry.h"
#include "server/page.h"
#include "server/priority.h"
#include "server/request_resolution.h"
#include "server/resource_name.h"
#include "server/sharing.h"
#include "server/trained_runs.h"
#include "server/violations.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/job_store.h"
#include "storage/queue_limit.h"

namespace moeprobe {
namespace {

constexpr const char* kListMethod = "ListJobs";

// What is read of the job that a client sends.
v1::Job RequestIn(const v1::Job& job) {
  v1::Job request;
  if (job.has_train()) *request.mutable_train() = job.train();
  if (job.has_analyze()) *request.mutable_analyze() = job.analyze();
  request.set_visibility(job.visibility());
  *request.mutable_shared_with() = job.shared_with();
  request.set_priority(job.priority());
  return request;
}

// The same for requests that ask for the same numbers.
std::string RequestKey(v1::Job resolved) {
  if (resolved.has_train()) resolved.mutable_train()->clear_name();
  if (resolved.has_analyze()) resolved.mutable_analyze()->clear_name();
  return DigestOf(resolved);
}

absl::StatusOr<std::string> RequestId(const v1::CreateJobRequest& request) {
  const std::string& id = request.request_id();
  if (id.empty() || IsUuid(id)) return absl::AsciiStrToLower(id);
  return absl::InvalidArgumentError(
      absl::StrCat("request_id: ", Quoted(id), " is not a UUID"));
}

NewJob ToNewJob(const ResolvedJob& resolved, const JobPlan& plan) {
  const v1::Job& spec = resolved.request.job;
  NewJob job{.access = resolved.access,
             .kind = KindOf(spec),
             .priority = resolved.priority,
             .spec = SpecBytes(spec),
             .request_key = RequestKey(spec),
             .request_id = "",
             .request_digest = "",
             .parts = {},
             .groups = plan.groups,
             .runs = RunsOf(plan),
             .warnings = resolved.request.warnings};
  for (const PlannedPart& part : plan.parts) {
    job.parts.push_back(
        {.prefix = part.prefix, .provenance = KnownProvenance(part)});
  }
  return job;
}

}  // namespace

ResolvedJob JobOperations::Resolve(const Viewer& user, const v1::Job& job) {
  DataCatalog catalog = parts_.catalog->SeenBy(user);
  ModelRegistry models = parts_.models->ForRequest(user);
  ResolvedRequest request = ResolveRequest(job, models, catalog);
  Access access = ResolveSharing(
      user.name,
      {.visibility = job.visibility(), .shared_with = job.shared_with()},
      parts_.default_visibility, request.violations);
  const JobPriority priority =
      ResolvePriority(user, job.priority(), request.violations);
  if (DeviceOf(request.job) == v1::DEVICE_CUDA &&
      !parts_.scheduler->workers_have_cuda()) {
    request.violations.Add("device",
                           "no worker of this server computes on a GPU, found "
                           "cuda, expected auto or cpu",
                           absl::StatusCode::kFailedPrecondition);
  }
  return {.models = std::move(models),
          .request = std::move(request),
          .access = std::move(access),
          .priority = priority};
}

absl::StatusOr<v1::Job> JobOperations::Create(
    const Viewer& user, const v1::CreateJobRequest& request) {
  if (stopping_) return absl::UnavailableError("the server is stopping");
  MOEPROBE_ASSIGN_OR_RETURN(const std::string request_id, RequestId(request));
  const std::string digest = DigestOf(RequestIn(request.job()));
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto earlier,
      parts_.jobs->FindRequest(user.name, request_id, digest));
  if (earlier) {
    MOEPROBE_ASSIGN_OR_RETURN(const JobRow row,
                              parts_.jobs->Get(user, *earlier));
    return ToMessage(row);
  }
  ResolvedJob resolved = Resolve(user, request.job());
  MOEPROBE_RETURN_IF_ERROR(resolved.request.violations.ToStatus());
  MOEPROBE_ASSIGN_OR_RETURN(const JobPlan plan, PlanOf(resolved));
  NewJob job = ToNewJob(resolved, plan);
  job.request_id = request_id;
  job.request_digest = digest;
  job.needs = NeedsOf(resolved.request.job, plan);
  MOEPROBE_RETURN_IF_ERROR(
      parts_.memory->Check(job.needs.memory_bytes.value_or(0)));
  CrashPoint("job-planned-not-stored");
  const absl::StatusOr<CreatedJob> created = parts_.jobs->Create(job);
  if (!created.ok()) return SayWhen(user, created.status());
  CrashPoint("job-stored-not-acknowledged");
  NoteCreation(*created, job);
  return ToMessage(created->job);
}

// A full queue has room once a worker takes a job.
absl::Status JobOperations::SayWhen(const Viewer& user,
                                    const absl::Status& refusal) const {
  const auto limit = QueueLimitOf(refusal);
  if (!limit) return refusal;
  const auto start = parts_.places->NextStart(
      limit == QueueLimit::kOfOwner ? std::optional(user.name) : std::nullopt);
  return start ? WithRetryDelay(refusal, *start - absl::Now()) : refusal;
}

void JobOperations::NoteCreation(const CreatedJob& created, const NewJob& job) {
  if (!created.is_new) return;
  parts_.record->Submitted(created.job.id);
  if (!created.is_cached()) return;
  parts_.record->AskedCache(job.groups.size(), 0);
  parts_.record->Ended(created.job.id, JobState::kSucceeded);
}

absl::StatusOr<JobPlan> JobOperations::PlanOf(ResolvedJob& resolved) {
  const v1::Job& job = resolved.request.job;
  return parts_.planner->With(&resolved.models)
      .Plan(job, parts_.scheduler->ResolveDevice(DeviceOf(job)));
}

// What cannot be estimated is queued all the same.
JobNeeds JobOperations::NeedsOf(const v1::Job& resolved, const JobPlan& plan) {
  return parts_.estimator
      ->Needs(plan, parts_.scheduler->ResolveDevice(DeviceOf(resolved)))
      .value_or(JobNeeds{});
}

absl::StatusOr<std::optional<v1::Estimate>> JobOperations::EstimateOf(
    ResolvedJob& resolved) {
  MOEPROBE_ASSIGN_OR_RETURN(const JobPlan plan, PlanOf(resolved));
  const v1::Device device = DeviceOf(resolved.request.job);
  return parts_.estimator->Estimate(plan,
                                    parts_.scheduler->ResolveDevice(device));
}

void JobOperations::AddEstimate(const v1::Estimate& estimate,
                                v1::ValidateJobResponse& response) {
  *response.mutable_estimate() = estimate;
  const absl::Status fits = parts_.memory->Check(estimate.peak_memory_bytes());
  if (fits.ok()) return;
  response.add_warnings(
      absl::StrCat("would be refused: ", std::string(fits.message())));
}

v1::ValidateJobResponse JobOperations::Validate(
    const Viewer& user, const v1::ValidateJobRequest& request) {
  ResolvedJob resolved = Resolve(user, request.job());
  const auto& [job, violations, warnings] = resolved.request;
  v1::ValidateJobResponse response;
  if (violations.empty()) {
    *response.mutable_job() = job;
    FillAccess(resolved.access, *response.mutable_job());
    response.mutable_job()->set_priority(ToMessage(resolved.priority));
    // What cannot be planned fails when it is created.
    const auto estimate = EstimateOf(resolved);
    if (estimate.ok() && *estimate) AddEstimate(**estimate, response);
  }
  for (const Violation& violation : violations.list()) {
    v1::FieldViolation* entry = response.add_violations();
    entry->set_field(violation.field);
    entry->set_description(violation.description);
  }
  for (const std::string& warning : warnings) {
    response.add_warnings(warning);
  }
  return response;
}

absl::StatusOr<v1::Job> JobOperations::Get(const Viewer& user,
                                           const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t id, ParseJobName(name));
  MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, parts_.jobs->Get(user, id));
  return parts_.places->Show(user, row);
}

absl::StatusOr<v1::ListJobsResponse> JobOperations::List(
    const Viewer& user, const v1::ListJobsRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  MOEPROBE_ASSIGN_OR_RETURN(
      const int64_t before,
      ParsePageTokenNumber(kListMethod, request.page_token()));
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<JobRow> rows,
                            parts_.jobs->List(user, before, size + 1));
  v1::ListJobsResponse response;
  for (const JobRow& row : rows) {
    if (response.jobs_size() == size) {
      response.set_next_page_token(
          PageToken(kListMethod, absl::StrCat(row.id + 1)));
      break;
    }
    MOEPROBE_ASSIGN_OR_RETURN(*response.add_jobs(), ToMessage(row));
  }
  MOEPROBE_RETURN_IF_ERROR(parts_.places->Fill(*response.mutable_jobs()));
  return response;
}

absl::StatusOr<v1::Job> JobOperations::Cancel(const Viewer& user,
                                              const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t id, ParseJobName(name));
  MOEPROBE_ASSIGN_OR_RETURN(const auto change, parts_.jobs->Cancel(user, id));
  CrashPoint("cancel-stored-not-enforced");
  if (change == JobState::kCancelled) parts_.ends->JobEnded(id, *change);
  MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, parts_.jobs->Get(user, id));
  if (row.state == JobState::kCancelling) parts_.enforce_cancel(row);
  return parts_.places->Show(user, row);
}

absl::StatusOr<v1::Job> JobOperations::SetKept(const Viewer& user,
                                               const std::string& name,
                                               bool is_kept) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t id, ParseJobName(name));
  MOEPROBE_RETURN_IF_ERROR(parts_.jobs->SetKept(user, id, is_kept));
  MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, parts_.jobs->Get(user, id));
  return parts_.places->Show(user, row);
}

absl::Status JobOperations::Remove(const Viewer& user,
                                   const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t id, ParseJobName(name));
  CrashPoint("job-not-deleted");
  MOEPROBE_RETURN_IF_ERROR(parts_.jobs->Remove(user, id));
  CrashPoint("job-deleted-not-acknowledged");
  return absl::OkStatus();
}

}  // namespace moeprobe
