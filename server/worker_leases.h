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
// where what it tells is the same. Monotonic clocks only: to set the machine's
// time changes nothing. Also ends jobs that take longer than they may, which is
// by the machine's time, as it is written down with the job.
class WorkerLeases {
 public:
  struct Parts {
    const RunningTasks* running;
    const WorkerPulse* pulse;
    std::chrono::seconds lease;
    std::chrono::seconds stall;  // how long it may get no further
    // Called from a thread of the object, until the worker holds no task, with
    // what the worker did, such as "said nothing for 60 s".
    std::function<void(int64_t worker, const std::string& what)> on_expiry;
    std::chrono::seconds max_job_time;  // 0: no limit
    // The same, until the job of a task that took longer is over.
    std::function<void(const RunningTask& task)> on_overdue;
  };

  // What `parts` points to must outlive the object.
  explicit WorkerLeases(Parts parts);

 private:
  void Look() const;

  Parts parts_;
  RepeatedCall looking_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_LEASES_H_
