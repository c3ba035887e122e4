#ifndef MOEPROBE_STORAGE_QUEUE_TURNS_H_
#define MOEPROBE_STORAGE_QUEUE_TURNS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/queue_forecast.h"

namespace moeprobe {

// Who goes next of the users of a snapshot, in the order of JobQueue, while
// jobs start and end. The snapshot must outlive the object.
class QueueTurns {
 public:
  explicit QueueTurns(const QueueSnapshot& snapshot);

  // Jobs that still wait.
  int64_t waiting_count() const { return waiting_count_; }

  // By what number a user goes here; one that End() ignores, if none of theirs
  // waits.
  size_t UserOf(std::string_view name) const;

  // Returns the job that goes next; nullptr if none waits, or only those of
  // users who hold as many as they may.
  const WaitingJob* First() const;

  // Takes that job out of the queue, and says whose it was. It counts as held
  // for good, where users are even, and towards the limit, if it `starts`,
  // until it ends.
  size_t Take(bool starts);

  // A job of a user ended.
  void End(size_t user);

  // From now on all may hold any number.
  void LiftLimit();

 private:
  struct Turn {
    const WaitingUser* user = nullptr;
    size_t next = 0;  // of its jobs
    double seconds = 0;
    int held_count = 0;
    int running_count = 0;
  };
  // Rank, the highest first; then seconds by weight, jobs held and the job's
  // id, the least first; then whose turn it is.
  using Key = std::tuple<int, double, int, int64_t, size_t>;

  bool IsAtLimit(const Turn& turn) const {
    return jobs_per_user_ > 0 && turn.running_count >= jobs_per_user_;
  }
  static const WaitingJob* JobOf(const Turn& turn) {
    return &turn.user->jobs[turn.next];
  }
  void Push(size_t user);

  int64_t jobs_per_user_;
  int64_t waiting_count_ = 0;
  std::vector<Turn> turns_;
  // Of users who may hold another, the next on top.
  std::priority_queue<Key, std::vector<Key>, std::greater<>> next_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_QUEUE_TURNS_H_
