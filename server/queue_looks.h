#ifndef MOEPROBE_SERVER_QUEUE_LOOKS_H_
#define MOEPROBE_SERVER_QUEUE_LOOKS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "server/memory_schedule.h"
#include "server/worker_pulse.h"
#include "storage/job_queue.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// What waits at one moment.
struct QueueLook {
  // Of every queued job, by its id.
  std::unordered_map<int64_t, QueuePlace> places;
  // When the first job of each user who waits is expected to start, where
  // somebody can tell.
  std::map<std::string, absl::Time> first_starts;
};

// Looks at the queue, each of them as long as the queue. Thread-safe.
class QueueLooks {
 public:
  using Clock = std::chrono::steady_clock;

  // `worker_count`: workers that the server starts; with none, those count that
  // answer. All must outlive the object.
  QueueLooks(JobQueue* queue, const WorkerPulse* pulse,
             const MemorySchedule* memory, int worker_count,
             std::function<Clock::time_point()> clock = Clock::now)
      : queue_(queue),
        pulse_(pulse),
        memory_(memory),
        worker_count_(worker_count),
        clock_(std::move(clock)) {}

  // Returns the queue as it is.
  absl::StatusOr<std::shared_ptr<const QueueLook>> Now() const;

  // Returns the queue as it is or was, for those who ask often: there is
  // another look once a second at most, and less often where looks would take
  // more than a fiftieth of the time.
  absl::StatusOr<std::shared_ptr<const QueueLook>> Recent();

 private:
  JobQueue* queue_;
  const WorkerPulse* pulse_;
  const MemorySchedule* memory_;
  int worker_count_;
  std::function<Clock::time_point()> clock_;
  Mutex mutex_;
  std::shared_ptr<const QueueLook> last_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point next_ ABSL_GUARDED_BY(mutex_);  // last_ serves until then
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_QUEUE_LOOKS_H_
