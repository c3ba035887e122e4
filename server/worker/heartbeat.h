#ifndef MOEPROBE_SERVER_WORKER_HEARTBEAT_H_
#define MOEPROBE_SERVER_WORKER_HEARTBEAT_H_

#include <condition_variable>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/server_link.h"

namespace moeprobe {

// Keeps the server informed about an attempt while the computation is busy, on
// a thread of its own, and learns whether the attempt should stop.
class Heartbeat {
 public:
  // `link` must outlive the object.
  Heartbeat(const ServerLink& link, const v1::Task& task);
  // Stops reporting.
  ~Heartbeat() = default;

  // Sets what is reported next.
  void Set(const v1::Progress& progress);

  // OK as long as the attempt should go on: Cancelled if the job was cancelled,
  // Aborted if the attempt is no longer the current one, Unavailable if the
  // server is gone.
  absl::Status status() const;

  // Whether the server wants the task back: the attempt should end with
  // Cancelled once what was reached is kept.
  bool is_asked_back() const;

 private:
  void Run(const std::stop_token& stop);

  const ServerLink& link_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  v1::ReportTaskRequest report_ ABSL_GUARDED_BY(mutex_);
  bool is_new_ ABSL_GUARDED_BY(mutex_) = true;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool is_asked_back_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_HEARTBEAT_H_
