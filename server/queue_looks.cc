#include "server/queue_looks.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "server/memory_schedule.h"
#include "storage/job_queue.h"
#include "storage/queue_forecast.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kShortestPause{1'000};
constexpr int kPausesPerLook = 49;

}  // namespace

absl::StatusOr<std::shared_ptr<const QueueLook>> QueueLooks::Now() const {
  MOEPROBE_ASSIGN_OR_RETURN(const QueueSnapshot snapshot, queue_->Snapshot());
  Capacity capacity{
      .workers = worker_count_ > 0 ? worker_count_ : pulse_->AnsweringCount(),
      .bytes = std::nullopt};
  if (memory_->budget_bytes() > 0) capacity.bytes = memory_->job_bytes();
  auto look = std::make_shared<QueueLook>();
  look->places = Forecast(snapshot, capacity);
  for (const WaitingUser& user : snapshot.users) {
    const auto start = look->places.at(user.jobs.front().id).start_time;
    if (start) look->first_starts[user.name] = *start;
  }
  return look;
}

absl::StatusOr<std::shared_ptr<const QueueLook>> QueueLooks::Recent() {
  const MutexLock lock(mutex_);
  const Clock::time_point begin = clock_();
  if (last_ != nullptr && begin < next_) return last_;
  MOEPROBE_ASSIGN_OR_RETURN(last_, Now());
  const Clock::time_point end = clock_();
  next_ = end + std::max<Clock::duration>(kShortestPause,
                                          kPausesPerLook * (end - begin));
  return last_;
}

}  // namespace moeprobe
