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
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace moeprobe {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// What runs, in seconds from now.
class Machine {
 public:
  Machine(const std::vector<HeldJob>& held, const Capacity& capacity)
      : free_workers_(
            std::max(capacity.workers, static_cast<int>(held.size()))),
        free_bytes_(capacity.bytes.value_or(kPlenty)) {
    for (const HeldJob& job : held) Hold(job.seconds, job.bytes);
  }

  // Starts a job as soon as it can, and not before the last one, and returns
  // when that is.
  double Start(const WaitingJob& job) {
    if (!CanEverStart(job)) return kNever;
    while (free_workers_ <= 0 || free_bytes_ < job.bytes) EndFirst();
    Hold(job.seconds, job.bytes);
    return now_;
  }

 private:
  // When a job ends, and the memory that it holds.
  using Running = std::pair<double, int64_t>;

  static constexpr int64_t kPlenty = std::numeric_limits<int64_t>::max() / 2;

  // Whether there is a worker and memory for it once all has ended that will.
  bool CanEverStart(const WaitingJob& job) const {
    return free_workers_ + static_cast<int64_t>(running_.size()) > 0 &&
           free_bytes_ + running_bytes_ >= job.bytes;
  }

  // What takes nobody knows how long takes for ever.
  void Hold(std::optional<double> seconds, int64_t bytes) {
    --free_workers_;
    free_bytes_ -= bytes;
    if (!seconds) return;
    running_.emplace(now_ + *seconds, bytes);
    running_bytes_ += bytes;
  }

  void EndFirst() {
    const auto [end, bytes] = running_.top();
    running_.pop();
    running_bytes_ -= bytes;
    free_bytes_ += bytes;
    ++free_workers_;
    now_ = std::max(now_, end);
  }

  double now_ = 0;
  int64_t free_workers_;
  int64_t free_bytes_;
  int64_t running_bytes_ = 0;  // of `running_`
  // The first to end on top.
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running_;
};

// The users who wait, and who of them is next.
class Turns {
 public:
  explicit Turns(const std::vector<WaitingUser>& users) {
    for (const WaitingUser& user : users) {
      turns_.push_back({.user = &user,
                        .seconds = user.seconds,
                        .held_count = user.held_count});
      Push(turns_.size() - 1);
    }
  }

  // Returns the job that goes next, and counts it as held; nullptr if none is
  // left.
  const WaitingJob* Next() {
    if (next_.empty()) return nullptr;
    const size_t index = std::get<size_t>(next_.top());
    next_.pop();
    Turn& turn = turns_[index];
    const WaitingJob& job = turn.user->jobs[turn.next++];
    turn.seconds += job.seconds.value_or(kUnknownSeconds);
    ++turn.held_count;
    Push(index);
    return &job;
  }

 private:
  struct Turn {
    const WaitingUser* user = nullptr;
    size_t next = 0;  // of its jobs
    double seconds = 0;
    int held_count = 0;
  };
  // Rank, the highest first; then seconds by weight, jobs held and the job's
  // id, the least first; then whose turn it is.
  using Key = std::tuple<int, double, int, int64_t, size_t>;

  void Push(size_t index) {
    const Turn& turn = turns_[index];
    if (turn.next == turn.user->jobs.size()) return;
    const WaitingJob& job = turn.user->jobs[turn.next];
    next_.emplace(-job.rank, turn.seconds / turn.user->weight, turn.held_count,
                  job.id, index);
  }

  std::vector<Turn> turns_;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> next_;
};

}  // namespace

std::unordered_map<int64_t, QueuePlace> Forecast(const QueueSnapshot& snapshot,
                                                 const Capacity& capacity) {
  Machine machine(snapshot.held, capacity);
  Turns turns(snapshot.users);
  std::unordered_map<int64_t, QueuePlace> places;
  while (const WaitingJob* job = turns.Next()) {
    QueuePlace place{.jobs_ahead = static_cast<int>(places.size()),
                     .start_time = std::nullopt};
    const double start = machine.Start(*job);
    if (std::isfinite(start)) {
      place.start_time = snapshot.time + absl::Seconds(start);
    }
    places[job->id] = place;
  }
  return places;
}

}  // namespace moeprobe
