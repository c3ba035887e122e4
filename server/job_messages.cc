#include "server/job_messages.h"

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "server/priority.h"
#include "server/resource_name.h"
#include "server/sharing.h"
#include "spec/timestamp.h"
#include "storage/job.h"
#include "storage/queue_forecast.h"

namespace moeprobe {
namespace {

v1::Job::State ToMessage(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return v1::Job::STATE_QUEUED;
    case JobState::kRunning:
      return v1::Job::STATE_RUNNING;
    case JobState::kCancelling:
      return v1::Job::STATE_CANCELLING;
    case JobState::kSucceeded:
      return v1::Job::STATE_SUCCEEDED;
    case JobState::kFailed:
      return v1::Job::STATE_FAILED;
    case JobState::kCancelled:
      return v1::Job::STATE_CANCELLED;
  }
  return v1::Job::STATE_UNSPECIFIED;
}

void FillError(const JobFailure& failure, v1::JobError* error) {
  error->set_code(failure.code);
  error->set_message(failure.message);
}

void FillProgress(const JobRow& row, v1::Progress* progress) {
  progress->set_phase(row.phase);
  progress->set_fraction(row.fraction);
  progress->set_layers_done_count(row.layers_done);
  progress->set_layer_count(row.layer_count);
}

}  // namespace

absl::StatusOr<v1::Job> SpecOf(const JobRow& row) {
  v1::Job job;
  google::protobuf::Message& spec =
      row.kind == JobKind::kTrain
          ? static_cast<google::protobuf::Message&>(*job.mutable_train())
          : *job.mutable_analyze();
  if (spec.ParseFromString(row.spec)) return job;
  return absl::DataLossError(
      absl::StrCat("job ", row.id, ": its spec cannot be read"));
}

JobKind KindOf(const v1::Job& job) {
  return job.has_train() ? JobKind::kTrain : JobKind::kAnalyze;
}

std::string SpecBytes(const v1::Job& job) {
  return job.has_train() ? job.train().SerializeAsString()
                         : job.analyze().SerializeAsString();
}

absl::StatusOr<v1::Job> ToMessage(const JobRow& row) {
  MOEPROBE_ASSIGN_OR_RETURN(v1::Job job, SpecOf(row));
  job.set_name(JobName(row.id));
  FillAccess(row.access, job);
  job.set_priority(ToMessage(row.priority));
  job.set_state(ToMessage(row.state));
  if (row.failure) FillError(*row.failure, job.mutable_error());
  FillProgress(row, job.mutable_progress());
  job.set_crash_count(row.crash_count);
  job.set_cached(row.cached);
  for (const auto& warning : row.warnings) job.add_warnings(warning);
  *job.mutable_create_time() = ToTimestamp(row.create_time);
  if (row.start_time) *job.mutable_start_time() = ToTimestamp(*row.start_time);
  if (row.end_time) *job.mutable_end_time() = ToTimestamp(*row.end_time);
  if (row.needs.seconds) job.set_estimated_seconds(*row.needs.seconds);
  if (row.needs.memory_bytes) {
    job.set_estimated_memory_bytes(*row.needs.memory_bytes);
  }
  job.set_kept(row.is_kept);
  if (row.dropped) {
    *job.mutable_dropped()->mutable_time() = ToTimestamp(row.dropped->time);
    job.mutable_dropped()->set_reason(row.dropped->reason);
  }
  return job;
}

v1::JobEvent ToEvent(const QueuePlace& place, absl::Time now) {
  v1::JobEvent event;
  *event.mutable_time() = ToTimestamp(now);
  event.mutable_place()->set_queue_position(place.jobs_ahead);
  if (place.start_time) {
    *event.mutable_place()->mutable_estimated_start_time() =
        ToTimestamp(*place.start_time);
  }
  return event;
}

v1::JobEvent ToMessage(const JobEventRow& row, int layer_count) {
  v1::JobEvent event;
  event.set_sequence(row.sequence);
  *event.mutable_time() = ToTimestamp(row.time);
  switch (row.kind) {
    case JobEventRow::Kind::kState:
      event.set_state(ToMessage(row.state));
      break;
    case JobEventRow::Kind::kProgress:
      event.mutable_progress()->set_phase(row.text);
      event.mutable_progress()->set_fraction(row.fraction);
      event.mutable_progress()->set_layers_done_count(row.layers_done);
      event.mutable_progress()->set_layer_count(layer_count);
      break;
    case JobEventRow::Kind::kLayer:
      event.set_layer(row.text);
      break;
    case JobEventRow::Kind::kWarning:
      event.set_warning(row.text);
      break;
  }
  if (row.failure) FillError(*row.failure, event.mutable_error());
  return event;
}

}  // namespace moeprobe
