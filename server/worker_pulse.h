#ifndef MOEPROBE_SERVER_WORKER_PULSE_H_
#define MOEPROBE_SERVER_WORKER_PULSE_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

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

  // A call of a worker, as long as the server is at it. Its worker waits and
  // can say nothing else, say because a disk takes long. Must not outlive the
  // pulse.
  class Call {
   public:
    Call(WorkerPulse* pulse, int64_t worker);
    ~Call();
    Call(Call&& other) noexcept;
    Call& operator=(Call&& other) = delete;

   private:
    WorkerPulse* pulse_;  // null: moved from
    int64_t worker_;
  };

  // The worker with this process id has called.
  void Beat(int64_t worker, Clock::time_point now = Clock::now());

  // It has ended.
  void End(int64_t worker);

  // Whether it has been heard of, but not for so long, nor waits for a call.
  bool IsSilent(int64_t worker, std::chrono::seconds patience,
                Clock::time_point now = Clock::now()) const;

  // Returns all who are silent.
  std::vector<int64_t> Silent(std::chrono::seconds patience,
                              Clock::time_point now = Clock::now()) const;

  int AnsweringCount(Clock::time_point now = Clock::now()) const;

 private:
  struct Heard {
    Clock::time_point last;
    int call_count = 0;  // that the server is at

    bool IsSilent(std::chrono::seconds patience, Clock::time_point now) const {
      return call_count == 0 && now - last >= patience;
    }
  };

  void BeginCall(int64_t worker);
  void EndCall(int64_t worker);

  mutable Mutex mutex_;
  std::map<int64_t, Heard> workers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_PULSE_H_
