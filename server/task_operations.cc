#include "server/task_operations.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/job_rests.h"
#include "server/log.h"
#include "server/probe_groups.h"
#include "server/resource_name.h"
#include "server/running_tasks.h"
#include "server/token_id_blob.h"
#include "server/worker_pulse.h"
#include "storage/attempt_store.h"
#include "storage/blob_store.h"
#include "storage/job.h"
#include "storage/published_layer.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxInlineBytes = size_t{1} << 20;

std::vector<std::string> Texts(
    const google::protobuf::RepeatedPtrField<std::string>& list) {
  return {list.begin(), list.end()};
}

bool IsInside(const fs::path& file, const fs::path& directory) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  const fs::path root = fs::canonical(directory, error);
  return !error && std::ranges::mismatch(root, real).in1 == root.end();
}

// Sorts arrays into the groups they belong to. A group that was asked for is
// there even where it has no array.
std::map<std::string, PublishedGroup> GroupsOf(const v1::FinishedLayer& layer,
                                               const v1::TaskPart& part,
                                               std::vector<NewArray> arrays) {
  std::map<std::string, PublishedGroup> groups;
  if (layer.layer() >= 0) {
    for (const std::string& group : ProbeGroups(part.probes(), part.nulls())) {
      groups[group];
    }
  }
  for (NewArray& array : arrays) {
    groups[array.array.probe].arrays.push_back(std::move(array));
  }
  return groups;
}

// What a layer was computed from. That of a trained model is known from its
// plan, which other jobs share.
LayerSource SourceOf(const v1::FinishedLayer& layer,
                     const PlannedPart& planned) {
  if (planned.trained) {
    return KnownSource(planned, layer.layer()).value_or(LayerSource{});
  }
  return {.weights_fingerprint = layer.weights_fingerprint(),
          .data_fingerprint = layer.data_fingerprint()};
}

absl::StatusOr<v1::TaskPart> PartOf(const RunningTask& task, int part) {
  if (part >= 0 && part < task.task.parts_size()) return task.task.parts(part);
  return absl::InvalidArgumentError(absl::StrCat(
      "part ", part, " is none, the task has ", task.task.parts_size()));
}

// OK if a part was to compute the layer, or it is the whole model, -1.
absl::Status CheckLayer(const v1::FinishedLayer& layer,
                        const v1::TaskPart& part) {
  const auto& asked = part.layers();
  if (layer.layer() < 0 ||
      std::ranges::find(asked, layer.layer()) != asked.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("layer ", layer.layer(), " was not asked for, expected ",
                   absl::StrJoin(asked, ", "), " of part ", layer.part()));
}

// Moves large arrays out of the database and returns their digests.
absl::StatusOr<std::vector<std::string>> StoreLargeArrays(
    const BlobStore& blobs, std::vector<NewArray>& arrays) {
  std::vector<std::string> stored;
  for (NewArray& array : arrays) {
    if (!array.npy || array.npy->size() <= kMaxInlineBytes) continue;
    MOEPROBE_ASSIGN_OR_RETURN(std::string sha256, blobs.Put(*array.npy));
    stored.push_back(std::move(sha256));
    array.npy.reset();
  }
  return stored;
}

// What later answers from the cache say of the machine.
std::string EnvironmentOf(const v1::Provenance& provenance) {
  v1::Provenance result;
  *result.mutable_environment() = provenance.environment();
  return result.SerializeAsString();
}

AttemptEnd EndOf(const v1::FinishTaskRequest& request,
                 const RunningTask& task) {
  AttemptEnd end;
  if (request.has_error()) {
    const int code = request.error().code();
    end.failure = JobFailure{
        .code = code != 0 ? code : static_cast<int>(absl::StatusCode::kUnknown),
        .message = request.error().message()};
  }
  for (const v1::Provenance& provenance : request.provenance()) {
    for (size_t part = 0; part < task.plan.parts.size(); ++part) {
      const PlannedPart& planned = task.plan.parts[part];
      if (planned.prefix != provenance.prefix()) continue;
      const int index = static_cast<int>(part);
      v1::Provenance complete = provenance;
      complete.set_layer_count(planned.layer_count);
      end.provenance[index] = complete.SerializeAsString();
      end.environment[index] = EnvironmentOf(provenance);
    }
  }
  return end;
}

// Whether trying again later may help.
bool MayPass(const JobFailure& failure) {
  return failure.code == static_cast<int>(absl::StatusCode::kUnavailable) ||
         failure.code == static_cast<int>(absl::StatusCode::kResourceExhausted);
}

// Adds what is known by now of parts that had nothing of their own to compute.
void AddKnownProvenance(const JobPlan& plan, AttemptEnd& end) {
  int index = 0;
  for (const PlannedPart& part : plan.parts) {
    auto known = KnownProvenance(part);
    if (known) end.provenance.insert({index, *std::move(known)});
    ++index;
  }
}

}  // namespace

absl::StatusOr<TaskOperations::Heard> TaskOperations::Hear(
    const std::string& job_name, int attempt) {
  MOEPROBE_ASSIGN_OR_RETURN(auto task, parts_.running->Find(job_name, attempt));
  WorkerPulse::Call call(parts_.pulse, task->worker);
  return Heard{.task = std::move(task), .call = std::move(call)};
}

absl::StatusOr<v1::ReportTaskResponse> TaskOperations::Report(
    const v1::ReportTaskRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const Heard heard,
                            Hear(request.job(), request.attempt()));
  const RunningTask& task = *heard.task;
  const double fraction = request.progress().fraction();
  const bool is_share = fraction >= 0 && fraction <= 1;
  if (!is_share) {
    return absl::InvalidArgumentError(absl::StrCat(
        "progress.fraction: ", fraction, " is out of range, expected 0 to 1"));
  }
  parts_.running->NoteProgress(task.attempt, request.progress().phase(),
                               fraction);
  v1::ReportTaskResponse response;
  CrashPoint("lease-renewed-report-not-stored");
  MOEPROBE_ASSIGN_OR_RETURN(
      const bool cancel,
      parts_.attempts->Report(task.attempt, request.progress().phase(),
                              fraction, Texts(request.warnings())));
  CrashPoint("report-stored-not-acknowledged");
  response.set_cancel(cancel);
  response.set_give_back(asks_back_);
  return response;
}

absl::Status TaskOperations::StoreTokens(
    const v1::StoreTokensRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const Heard heard,
                            Hear(request.job(), request.attempt()));
  const RunningTask& task = *heard.task;
  if (!IsSha256(request.text_sha256()) ||
      !IsSha256(request.tokenizer_sha256())) {
    return absl::InvalidArgumentError(
        "text_sha256, tokenizer_sha256: expected SHA-256 in hexadecimal");
  }
  if (!IsInside(request.ids_path(), task.task.scratch_directory())) {
    return absl::InvalidArgumentError(
        absl::StrCat("ids_path: ", Quoted(request.ids_path()),
                     " is not in the scratch directory of the task"));
  }
  const BlobStore::Hold hold = parts_.blobs->HoldAll();
  MOEPROBE_ASSIGN_OR_RETURN(const TokenIdBlob blob,
                            StoreTokenIds(request.ids_path(), *parts_.blobs));
  CrashPoint("tokens-stored-row-not");
  MOEPROBE_RETURN_IF_ERROR(
      parts_.fingerprints->RememberTokenIds(blob.sha256, blob.ids));
  MOEPROBE_RETURN_IF_ERROR(parts_.fingerprints->RememberTokenization(
      request.text_sha256(), request.tokenizer_sha256(), blob.sha256));
  parts_.blobs->Confirm(blob.sha256);
  CrashPoint("tokens-stored-not-acknowledged");
  std::error_code ignored;
  fs::remove(request.ids_path(), ignored);
  return absl::OkStatus();
}

absl::Status TaskOperations::Publish(const v1::FinishedLayer& layer,
                                     std::vector<NewArray> arrays) {
  MOEPROBE_ASSIGN_OR_RETURN(const Heard heard,
                            Hear(layer.job(), layer.attempt()));
  const RunningTask& task = *heard.task;
  MOEPROBE_ASSIGN_OR_RETURN(const v1::TaskPart part,
                            PartOf(task, layer.part()));
  MOEPROBE_RETURN_IF_ERROR(CheckLayer(layer, part));
  const BlobStore::Hold hold = parts_.blobs->HoldAll();
  CrashPoint("layer-received-not-stored");
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<std::string> blobs,
                            StoreLargeArrays(*parts_.blobs, arrays));
  CrashPoint("large-arrays-stored-rows-not");
  const int job_part = task.job_parts[static_cast<size_t>(layer.part())];
  const PlannedPart& planned = task.plan.parts[static_cast<size_t>(job_part)];
  const LayerSource source = SourceOf(layer, planned);
  PublishedLayer published{.layer = layer.layer(),
                           .stamp = planned.stamp,
                           .weights_fingerprint = layer.weights_fingerprint(),
                           .groups = {},
                           .needed = GroupsOfSource(task.plan, job_part, source,
                                                    task.device, layer.layer()),
                           .warnings = Texts(layer.warnings())};
  for (auto& [name, group] : GroupsOf(layer, part, std::move(arrays))) {
    group.probe = name;
    group.key = KeyOfGroup(planned, source, task.device, layer.layer(), name);
    published.groups.push_back(std::move(group));
  }
  MOEPROBE_RETURN_IF_ERROR(parts_.attempts->Publish(task.attempt, published));
  for (const std::string& sha256 : blobs) parts_.blobs->Confirm(sha256);
  CrashPoint("layer-stored-not-acknowledged");
  parts_.running->NoteLayer(task.attempt);
  parts_.rests->Forget(task.attempt.job);
  return absl::OkStatus();
}

// That nothing is learned only makes estimates worse.
void TaskOperations::Learn(const RunningTask& task) {
  if (!task.needs.seconds) return;
  // An attempt that goes on where another ended trains less than it estimates.
  if (!task.plan.runs.empty() && task.attempt.attempt > 1) return;
  const absl::Status learned = parts_.estimator->Learn(
      task.plan, *task.needs.seconds, absl::ToDoubleSeconds(task.Age()));
  if (!learned.ok()) {
    LogWarning(learned.ToString(), {JobField(task.attempt.job)});
  }
}

// Where there was no room or a disk failed, the job waits for better times. It
// rests before its end is stored: nobody may take it in between.
void TaskOperations::LetRest(const AttemptId& attempt, AttemptEnd& end) {
  if (!end.failure || !MayPass(*end.failure)) return;
  const auto rest = parts_.rests->Begin(attempt);
  if (!rest) {
    absl::StrAppend(&end.failure->message, " (", JobRests::kMaxCount + 1,
                    " times)");
    return;
  }
  end.warnings.push_back(absl::StrCat(
      "tried again after ", std::chrono::duration<double>(*rest).count(),
      " s: ", end.failure->message));
  end.failure->code = static_cast<int>(absl::StatusCode::kCancelled);
}

absl::StatusOr<JobState> TaskOperations::End(const AttemptId& attempt,
                                             const AttemptEnd& end) {
  MOEPROBE_ASSIGN_OR_RETURN(const JobState state,
                            parts_.attempts->Finish(attempt, end));
  CrashPoint("task-end-stored-not-acted-on");
  parts_.ends->AttemptEnded(attempt, state, end.failure);
  parts_.scheduler->Wake();  // there is more memory
  return state;
}

absl::Status TaskOperations::Fail(const RunningTask& task,
                                  const JobFailure& failure) {
  AttemptEnd end;
  end.failure = failure;
  return End(task.attempt, end).status();
}

absl::Status TaskOperations::Finish(const v1::FinishTaskRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const Heard heard,
                            Hear(request.job(), request.attempt()));
  const RunningTask& task = *heard.task;
  CrashPoint("task-end-received-not-stored");
  AttemptEnd end = EndOf(request, task);
  LetRest(task.attempt, end);
  const auto plan = parts_.planner->Plan(task.spec, task.device);
  if (plan.ok()) AddKnownProvenance(*plan, end);
  MOEPROBE_ASSIGN_OR_RETURN(const JobState state, End(task.attempt, end));
  if (state == JobState::kSucceeded) Learn(task);
  CrashPoint("task-ended-others-like-it-wait");
  const absl::Status answered = parts_.scheduler->AnswerLike(task.request_key);
  // The worker's part is done: jobs that wait stay queued.
  if (!answered.ok()) LogWarning(answered.ToString());
  return absl::OkStatus();
}

}  // namespace moeprobe
