#ifndef MOEPROBE_SERVER_JOB_PLACES_H_
#define MOEPROBE_SERVER_JOB_PLACES_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/job.pb.h"
#include "server/memory_waits.h"
#include "server/worker_pulse.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// Tells where queued jobs stand. Thread-safe.
class JobPlaces {
 public:
  // `worker_count`: workers that the server starts; with none, those count that
  // answer. All must outlive the object.
  JobPlaces(JobQueue* queue, const WorkerPulse* pulse, const MemoryWaits* waits,
            int worker_count)
      : queue_(queue),
        pulse_(pulse),
        waits_(waits),
        worker_count_(worker_count) {}

  // Returns a stored job as the viewer, who may see it, sees it, with its place
  // and whether it waits for memory.
  absl::StatusOr<v1::Job> Show(const Viewer& viewer, const JobRow& row) const;

  // Gives those of `jobs` that are queued their places.
  absl::Status Fill(google::protobuf::RepeatedPtrField<v1::Job>& jobs) const;

  // Returns the place of every queued job, by its id: one look at the queue.
  absl::StatusOr<std::unordered_map<int64_t, QueuePlace>> All() const;

 private:
  JobQueue* queue_;
  const WorkerPulse* pulse_;
  const MemoryWaits* waits_;
  int worker_count_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_PLACES_H_
