#include "storage/queue_forecast.h"

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

namespace moeprobe {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// When workers are free, in seconds from now: the first of them on top.
class FreeWorkers {
 public:
  FreeWorkers(const std::vector<std::optional<double>>& held, int count) {
    for (const auto& seconds : held) times_.push(seconds.value_or(kNever));
    for (int i = static_cast<int>(held.size()); i < count; ++i) times_.push(0);
  }

  // Gives a job to the worker that is free first and returns when that is.
  double Take(std::optional<double> seconds) {
    if (times_.empty()) return kNever;
    const double start = times_.top();
    times_.pop();
    times_.push(start + seconds.value_or(kNever));
    return start;
  }

 private:
  std::priority_queue<double, std::vector<double>, std::greater<>> times_;
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
                                                 int worker_count) {
  FreeWorkers workers(snapshot.held_seconds, worker_count);
  Turns turns(snapshot.users);
  std::unordered_map<int64_t, QueuePlace> places;
  while (const WaitingJob* job = turns.Next()) {
    QueuePlace place{.jobs_ahead = static_cast<int>(places.size()),
                     .start_time = std::nullopt};
    const double start = workers.Take(job->seconds);
    if (std::isfinite(start)) {
      place.start_time = snapshot.time + absl::Seconds(start);
    }
    places[job->id] = place;
  }
  return places;
}

}  // namespace moeprobe
