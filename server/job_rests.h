#ifndef MOEPROBE_SERVER_JOB_RESTS_H_
#define MOEPROBE_SERVER_JOB_RESTS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/mutex.h"

namespace moeprobe {

// Jobs that a worker gave up for want of room, or because a disk failed: each
// rests for a while before it is tried again, twice as long each time, and so
// many times at most until it gets on. Nothing here has to last: a server that
// starts tries them all again. Thread-safe.
class JobRests {
 public:
  static constexpr int kMaxCount = 6;
  static constexpr std::chrono::milliseconds kFirst{2'000};

  // Lets a job rest and returns for how long; nullopt if it has rested so often
  // that it is to fail.
  std::optional<std::chrono::milliseconds> Begin(int64_t job);

  // The job got on, or ended.
  void Forget(int64_t job);

  // The jobs that rest now.
  std::vector<int64_t> Resting() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Rest {
    int count = 0;
    Clock::time_point end;
  };

  mutable Mutex mutex_;
  std::map<int64_t, Rest> rests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_RESTS_H_
