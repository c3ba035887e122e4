#ifndef MOEPROBE_SERVER_LOCAL_EXECUTOR_H_
#define MOEPROBE_SERVER_LOCAL_EXECUTOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "server/worker_process.h"

namespace moeprobe {

// Keeps a number of worker processes running on this machine: starts them,
// notices at once when one ends, and starts another, later each time if they
// keep ending at once. Thread-safe, but for Stop(), which is for one thread.
class LocalExecutor {
 public:
  struct Options {
    std::vector<std::string> command;  // a worker's program and arguments
    int worker_count = 1;
    // Called from the executor's thread, with the process id; the first with
    // our end of the line to the worker as well, see WorkerProcess. A worker
    // that ends after KillLater() has killed it was ordered to.
    std::function<void(int64_t, FileDescriptor line)> on_start;
    std::function<void(int64_t, const std::string& reason, bool was_ordered)>
        on_death;
  };

  // Starts the workers.
  static absl::StatusOr<std::unique_ptr<LocalExecutor>> Start(Options options);

  // Stops.
  ~LocalExecutor();

  // Kills the worker `pid` after `delay`, if `still_needed` says so then.
  void KillLater(int64_t pid, std::chrono::milliseconds delay,
                 std::function<bool()> still_needed);

  // Ends all workers and waits for them. Idempotent.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  // A place for one worker.
  struct Slot {
    std::optional<WorkerProcess> process;
    bool was_killed = false;
    Clock::time_point started;
    Clock::time_point start_at;
    std::chrono::milliseconds back_off{0};
  };
  struct Order {
    int64_t pid = 0;
    Clock::time_point time;
    std::function<bool()> still_needed;
  };

  LocalExecutor(Options options, FileDescriptor wake);

  void Run();
  void StartDue();
  void Reap(Slot& slot);
  void KillDue();
  void WaitForSomething();
  int TimeoutMilliseconds();
  void EndAll();
  void Wake();
  bool IsStopping();

  Options options_;
  FileDescriptor wake_;      // an eventfd
  std::vector<Slot> slots_;  // of the executor's thread alone
  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Order> orders_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LOCAL_EXECUTOR_H_
