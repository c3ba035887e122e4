#ifndef MOEPROBE_SERVER_WORKER_RUN_STOP_H_
#define MOEPROBE_SERVER_WORKER_RUN_STOP_H_

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "server/worker/heartbeat.h"

namespace moeprobe {

// Whether the runs of a task should stop: all do once the job is cancelled, the
// attempt is no longer the current one, the server is gone or wants the task
// back, whoever of them hears of it. What fails by itself stops nothing else.
// Thread-safe.
class RunStop {
 public:
  // `heartbeat` must outlive the object.
  explicit RunStop(const Heartbeat& heartbeat) : heartbeat_(heartbeat) {}

  // How a run ended.
  void Note(const absl::Status& end);

  // OK as long as runs should go on.
  absl::Status status() const;

 private:
  const Heartbeat& heartbeat_;
  mutable Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_RUN_STOP_H_
