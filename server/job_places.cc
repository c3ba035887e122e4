#include "server/job_places.h"

#include <google/protobuf/repeated_ptr_field.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "server/job_messages.h"
#include "server/resource_name.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/queue_forecast.h"

namespace moeprobe {
namespace {

using google::protobuf::util::TimeUtil;

bool IsQueued(const v1::Job& job) {
  return job.state() == v1::Job::STATE_QUEUED;
}

void SetPlace(const QueuePlace& place, v1::Job& job) {
  job.set_queue_position(place.jobs_ahead);
  if (!place.start_time) return;
  *job.mutable_estimated_start_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(*place.start_time));
}

}  // namespace

absl::StatusOr<std::unordered_map<int64_t, QueuePlace>> JobPlaces::All() const {
  MOEPROBE_ASSIGN_OR_RETURN(const QueueSnapshot snapshot, queue_->Snapshot());
  return Forecast(snapshot,
                  worker_count_ > 0 ? worker_count_ : pulse_->AnsweringCount());
}

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
  MOEPROBE_ASSIGN_OR_RETURN(const auto places, All());
  for (v1::Job& job : jobs) {
    if (!IsQueued(job)) continue;
    MOEPROBE_ASSIGN_OR_RETURN(const int64_t id, ParseJobName(job.name()));
    const auto place = places.find(id);
    // It may have been taken since.
    if (place != places.end()) SetPlace(place->second, job);
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
