#ifndef MOEPROBE_SERVER_WORKER_LEASES_H_
#define MOEPROBE_SERVER_WORKER_LEASES_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "server/repeated_call.h"
#include "server/running_tasks.h"
#include "server/worker_pulse.h"

namespace moeprobe {

// Takes tasks from workers that live but say nothing, or get no further: a task
// is leased, and every call of its worker renews the lease, but not for ever
// where what it tells is the same. Also ends jobs that take longer than they
// may, and workers that hold nothing and do not ask for anything either.
// Monotonic clocks: to set the machine's time changes nothing. Only what
// earlier attempts at a job took is by that time, as it is written down.
class WorkerLeases {
 public:
  struct Parts {
    const RunningTasks* running;
    const WorkerPulse* pulse;
    std::chrono::seconds lease;
    std::chrono::seconds stall;  // how long it may get no further
    // Called from a thread of the object, until the worker no longer holds the
    // task, with what the worker did, such as "said nothing for 60 s".
    std::function<void(const RunningTask& task, const std::string& what)>
        on_expiry;
    // Called the same way, until the worker has ended or calls.
    std::function<void(int64_t worker, const std::string& what)>
        on_idle_silence;
    std::chrono::seconds max_job_time;  // 0: no limit
    // The same, until the job of a task that took longer is over.
    std::function<void(const RunningTask& task)> on_overdue;
  };

  // What `parts` points to must outlive the object.
  explicit WorkerLeases(Parts parts);

 private:
  void Look() const;
  void LookAtIdleWorkers() const;

  Parts parts_;
  RepeatedCall looking_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_LEASES_H_
