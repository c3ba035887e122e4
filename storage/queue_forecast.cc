#include "storage/queue_forecast.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "storage/queue_turns.h"

namespace moeprobe {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// What runs, in seconds from now, and whose it is.
class Machine {
 public:
  Machine(const Capacity& capacity, size_t held_count)
      : free_workers_(std::max(capacity.workers, static_cast<int>(held_count))),
        free_bytes_(capacity.bytes.value_or(kPlenty)) {}

  double now() const { return now_; }

  bool Fits(const WaitingJob& job) const {
    return free_workers_ > 0 && free_bytes_ >= job.bytes;
  }

  // Whether it fits once all has ended that will.
  bool WillFit(const WaitingJob& job) const {
    return free_workers_ + static_cast<int64_t>(running_.size()) > 0 &&
           free_bytes_ + running_bytes_ >= job.bytes;
  }

  // What takes nobody knows how long takes for ever.
  void Hold(size_t user, std::optional<double> seconds, int64_t bytes) {
    --free_workers_;
    free_bytes_ -= bytes;
    if (!seconds) return;
    running_.emplace(now_ + *seconds, bytes, user);
    running_bytes_ += bytes;
  }

  // Waits until something ends, and returns whose jobs end at that moment; of
  // nobody if nothing ends any more, and then it is for ever.
  std::vector<size_t> AwaitEnd() {
    now_ = running_.empty() ? kNever : std::get<double>(running_.top());
    std::vector<size_t> users;
    while (!running_.empty() && std::get<double>(running_.top()) <= now_) {
      users.push_back(EndFirst());
    }
    return users;
  }

 private:
  // When a job ends, the memory that it holds, and whose it is.
  using Running = std::tuple<double, int64_t, size_t>;

  static constexpr int64_t kPlenty = std::numeric_limits<int64_t>::max() / 2;

  size_t EndFirst() {
    const auto [end, bytes, user] = running_.top();
    running_.pop();
    running_bytes_ -= bytes;
    free_bytes_ += bytes;
    ++free_workers_;
    return user;
  }

  double now_ = 0;
  int64_t free_workers_;
  int64_t free_bytes_;
  int64_t running_bytes_ = 0;  // of `running_`
  // The first to end on top.
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running_;
};

}  // namespace

std::unordered_map<int64_t, QueuePlace> Forecast(const QueueSnapshot& snapshot,
                                                 const Capacity& capacity) {
  Machine machine(capacity, snapshot.held.size());
  QueueTurns turns(snapshot);
  for (const HeldJob& job : snapshot.held) {
    machine.Hold(turns.UserOf(job.owner), job.seconds, job.bytes);
  }
  std::unordered_map<int64_t, QueuePlace> places;
  while (turns.waiting_count() > 0) {
    const WaitingJob* job = turns.First();
    if (job == nullptr || (!machine.Fits(*job) && machine.WillFit(*job))) {
      const std::vector<size_t> users = machine.AwaitEnd();
      for (const size_t user : users) turns.End(user);
      // Who waits for ever has a place all the same.
      if (users.empty()) turns.LiftLimit();
      continue;
    }
    QueuePlace place{.jobs_ahead = static_cast<int>(places.size()),
                     .start_time = std::nullopt};
    const bool starts = machine.Fits(*job);
    if (starts && std::isfinite(machine.now())) {
      place.start_time = snapshot.time + absl::Seconds(machine.now());
    }
    places[job->id] = place;
    const size_t user = turns.Take(starts);
    if (starts) machine.Hold(user, job->seconds, job->bytes);
  }
  return places;
}

}  // namespace moeprobe
