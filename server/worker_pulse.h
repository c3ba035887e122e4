#ifndef MOEPROBE_SERVER_WORKER_PULSE_H_
#define MOEPROBE_SERVER_WORKER_PULSE_H_

#include <chrono>
#include <cstdint>
#include <map>

#include "core/base/mutex.h"

namespace moeprobe {

// When workers were last heard of. One that computes reports every second, one
// that is idle asks for work every ten. Thread-safe.
class WorkerPulse {
 public:
  using Clock = std::chrono::steady_clock;

  // A worker that was not heard of for so long does not answer: it is stopped,
  // stuck, or starved of memory or time.
  static constexpr std::chrono::seconds kPatience{15};

  // The worker with this process id has called.
  void Beat(int64_t worker, Clock::time_point now = Clock::now());

  // It has ended.
  void End(int64_t worker);

  // Whether it has been heard of, but not for so long.
  bool IsSilent(int64_t worker, std::chrono::seconds patience,
                Clock::time_point now = Clock::now()) const;

  int AnsweringCount(Clock::time_point now = Clock::now()) const;

 private:
  mutable Mutex mutex_;
  std::map<int64_t, Clock::time_point> last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_PULSE_H_
