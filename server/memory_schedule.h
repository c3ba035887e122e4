#ifndef MOEPROBE_SERVER_MEMORY_SCHEDULE_H_
#define MOEPROBE_SERVER_MEMORY_SCHEDULE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {

// Memory that a running task is expected to take.
struct HeldMemory {
  using Clock = std::chrono::steady_clock;

  int64_t job = 0;
  int64_t bytes = 0;
  Clock::time_point start;
  std::optional<Clock::time_point> end;  // expected; nullopt: nobody can tell
};

// Decides which jobs may start, so that what running tasks are expected to take
// of memory, together, stays within a budget.
//
// Where the job that goes next does not fit, memory is kept for it, and those
// behind it go first as long as that costs it nothing (EASY backfilling: Lifka,
// JSSPP 1995): those that leave room for it beside whatever has started since,
// and those that fit now and are expected to end before it could start anyway.
// That time is fixed once and for all when memory begins to be kept, so wrong
// estimates cannot put it off again and again: as long as the job goes next, it
// starts at the latest when all that ran at that time has ended, and all that
// started before that fixed time.
//
// Nothing here has to last: when a server starts, nothing runs. Thread-safe.
class MemorySchedule {
 public:
  using Clock = HeldMemory::Clock;

  // A job that waits for memory, which is kept for it.
  struct Kept {
    int64_t job = 0;
    int64_t bytes = 0;        // that it takes
    Clock::time_point since;  // when that began
    // When it was expected to be able to start; nullopt: nobody could tell.
    std::optional<Clock::time_point> start;
  };

  // With a budget of 0 any number of jobs may run.
  explicit MemorySchedule(int64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  int64_t budget_bytes() const { return budget_bytes_; }

  // Of the budget, what is not there for jobs, since models are pinned.
  int64_t pinned_bytes() const { return pinned_bytes_; }

  // What is there for jobs; 0 without a budget.
  int64_t job_bytes() const {
    return budget_bytes_ == 0 ? 0 : budget_bytes_ - pinned_bytes_;
  }

  // Takes memory from jobs, or gives some back where `bytes` is negative.
  // FailedPrecondition, with the figures, if it takes some and the rest is less
  // than what jobs hold, or than the `largest` that waits takes.
  absl::Status AddPinned(int64_t bytes, const std::vector<HeldMemory>& held,
                         const std::optional<LargestJob>& largest);
  void RemovePinned(int64_t bytes) { pinned_bytes_ -= bytes; }

  // FailedPrecondition, with the figures and what to change, if a job of
  // `bytes` can never run.
  absl::Status Check(int64_t bytes) const;

  // Returns whether `job`, which goes next, may start beside what is `held`,
  // where it takes `bytes`. If not, memory is kept for it from now on and no
  // more for another.
  bool MayStart(int64_t job, int64_t bytes, const std::vector<HeldMemory>& held,
                Clock::time_point now);

  // Returns what there is room for behind the job that memory is kept for;
  // nullopt, for anything, where there is none.
  std::optional<Room> RoomBehind(const std::vector<HeldMemory>& held,
                                 Clock::time_point now) const;

  // Returns the job that memory is kept for.
  std::optional<Kept> kept() const;

 private:
  const int64_t budget_bytes_;
  std::atomic<int64_t> pinned_bytes_ = 0;
  mutable Mutex mutex_;
  std::optional<Kept> kept_ ABSL_GUARDED_BY(mutex_);
};

// Whether there is room for a job.
bool Fits(const JobNeeds& needs, const Room& room);

// Returns what all of it comes to.
int64_t BytesOf(const std::vector<HeldMemory>& held);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MEMORY_SCHEDULE_H_
