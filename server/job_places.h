#ifndef MOEPROBE_SERVER_JOB_PLACES_H_
#define MOEPROBE_SERVER_JOB_PLACES_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "moeprobe/v1/job.pb.h"
#include "server/memory_waits.h"
#include "server/queue_looks.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {

// Tells where queued jobs stand. Thread-safe.
class JobPlaces {
 public:
  // Both must outlive the object.
  JobPlaces(QueueLooks* looks, const MemoryWaits* waits)
      : looks_(looks), waits_(waits) {}

  // Returns a stored job as the viewer, who may see it, sees it, with its place
  // and whether it waits for memory.
  absl::StatusOr<v1::Job> Show(const Viewer& viewer, const JobRow& row) const;

  // Gives those of `jobs` that are queued their places.
  absl::Status Fill(google::protobuf::RepeatedPtrField<v1::Job>& jobs) const;

  // Returns when a worker is expected to take a queued job of `owner`, or of
  // anybody if that is nullopt; nullopt where nobody can tell. As it was seen
  // of late (QueueLooks::Recent), which may be past.
  std::optional<absl::Time> NextStart(
      const std::optional<std::string>& owner) const;

 private:
  QueueLooks* looks_;
  const MemoryWaits* waits_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_PLACES_H_
