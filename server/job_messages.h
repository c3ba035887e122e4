#ifndef MOEPROBE_SERVER_JOB_MESSAGES_H_
#define MOEPROBE_SERVER_JOB_MESSAGES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "moeprobe/v1/job.pb.h"
#include "storage/job.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// Returns the resolved spec of a stored job, in a job that has nothing else.
// DataLoss if it cannot be read.
absl::StatusOr<v1::Job> SpecOf(const JobRow& row);

// Returns which kind of spec `job` has, and its bytes as stored.
JobKind KindOf(const v1::Job& job);
std::string SpecBytes(const v1::Job& job);

// Returns a stored job as clients see it, but for its place in the queue; see
// JobPlaces. DataLoss if its spec cannot be read.
absl::StatusOr<v1::Job> ToMessage(const JobRow& row);

// Returns where a queued job stands at `now`, as an event.
v1::JobEvent ToEvent(const QueuePlace& place, absl::Time now);

// Returns a stored event of a job with so many layers.
v1::JobEvent ToMessage(const JobEventRow& row, int layer_count);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_MESSAGES_H_
