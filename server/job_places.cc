#include "server/job_places.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "server/job_messages.h"
#include "server/queue_looks.h"
#include "server/resource_name.h"
#include "spec/timestamp.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/queue_forecast.h"

namespace moeprobe {
namespace {

bool IsQueued(const v1::Job& job) {
  return job.state() == v1::Job::STATE_QUEUED;
}

void SetPlace(const QueuePlace& place, v1::Job& job) {
  job.set_queue_position(place.jobs_ahead);
  if (!place.start_time) return;
  *job.mutable_estimated_start_time() = ToTimestamp(*place.start_time);
}

}  // namespace

absl::StatusOr<v1::Job> JobPlaces::Show(const Viewer& viewer,
                                        const JobRow& row) const {
  google::protobuf::RepeatedPtrField<v1::Job> one;
  MOEPROBE_ASSIGN_OR_RETURN(*one.Add(), ToMessage(row));
  MOEPROBE_RETURN_IF_ERROR(Fill(one));
  waits_->Fill(viewer, row, one[0]);
  return std::move(one[0]);
}

absl::Status JobPlaces::Fill(
    google::protobuf::RepeatedPtrField<v1::Job>& jobs) const {
  if (std::ranges::none_of(jobs, IsQueued)) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(const auto look, looks_->Now());
  for (v1::Job& job : jobs) {
    if (!IsQueued(job)) continue;
    MOEPROBE_ASSIGN_OR_RETURN(const int64_t id, ParseJobName(job.name()));
    const auto place = look->places.find(id);
    // It may have been taken since.
    if (place != look->places.end()) SetPlace(place->second, job);
  }
  return absl::OkStatus();
}

std::optional<absl::Time> JobPlaces::NextStart(
    const std::optional<std::string>& owner) const {
  const auto look = looks_->Recent();
  if (!look.ok()) return std::nullopt;
  std::optional<absl::Time> next;
  for (const auto& [user, start] : (*look)->first_starts) {
    if (owner && *owner != user) continue;
    next = std::min(start, next.value_or(start));
  }
  return next;
}

}  // namespace moeprobe
