#ifndef MOEPROBE_SERVER_WORKER_LEASES_H_
#define MOEPROBE_SERVER_WORKER_LEASES_H_

#include <chrono>
#include <cstdint>
#include <functional>

#include "server/repeated_call.h"
#include "server/running_tasks.h"
#include "server/worker_pulse.h"

namespace moeprobe {

// Takes tasks from workers that live but say nothing: a task is leased, and
// every call of its worker renews the lease. Monotonic clocks only: to set the
// machine's time changes nothing.
class WorkerLeases {
 public:
  struct Parts {
    const RunningTasks* running;
    const WorkerPulse* pulse;
    std::chrono::seconds lease;
    // Called from a thread of the object, until the worker holds no task.
    std::function<void(int64_t worker)> on_expiry;
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
