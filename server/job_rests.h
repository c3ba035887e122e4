#ifndef MOEPROBE_SERVER_JOB_RESTS_H_
#define MOEPROBE_SERVER_JOB_RESTS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/mutex.h"
#include "storage/job.h"

namespace moeprobe {

// Jobs that wait for what passes. One that a worker gave up for want of room,
// or because a disk failed, or that needs what is not there, rests for a while
// before it is tried again, twice as long each time, and so many times at most
// until it gets on. Nothing here has to last: a server that starts tries them
// all again. Thread-safe.
class JobRests {
 public:
  static constexpr int kMaxCount = 6;
  static constexpr std::chrono::milliseconds kFirst{2'000};

  // Lets the job of an attempt that is about to end rest and returns for how
  // long; nullopt if it has rested so often that it is to fail. An end that
  // could not be stored comes again: an attempt counts once.
  std::optional<std::chrono::milliseconds> Begin(const AttemptId& attempt);

  // The same for a job that nobody tried, since what it needs is not there:
  // each call counts.
  std::optional<std::chrono::milliseconds> Begin(int64_t job);

  // Lets a job rest for kFirst that cannot be tried at the moment, for reasons
  // of its own, such as a model's file that cannot be read: others go first.
  // It may rest so any number of times.
  void Pause(int64_t job);

  // The job got on, or ended.
  void Forget(int64_t job);

  // The jobs that rest now.
  std::vector<int64_t> Resting() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Rest {
    int count = 0;
    int attempt = 0;  // that was counted last
    Clock::time_point end;
  };

  // Begins the rest that was just counted.
  static std::optional<std::chrono::milliseconds> Start(Rest& rest);

  mutable Mutex mutex_;
  std::map<int64_t, Rest> rests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_RESTS_H_
