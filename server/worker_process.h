#ifndef MOEPROBE_SERVER_WORKER_PROCESS_H_
#define MOEPROBE_SERVER_WORKER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// A running child process, leader of a process group of its own.
class WorkerProcess {
 public:
  // The descriptor at which it has its end of the line to us.
  static constexpr int kLine = 3;

  // Starts `command`, a program's path and its arguments, without a shell and
  // without any of our files but the standard ones and the line.
  static absl::StatusOr<WorkerProcess> Start(
      const std::vector<std::string>& command);

  pid_t pid() const { return pid_; }

  // A file descriptor that can be read once the process has ended.
  int ended() const { return ended_.number(); }

  // Gives away our end of the line: a connected Unix socket that does not
  // block. Call once.
  FileDescriptor TakeLine() { return std::move(line_); }

  // Sends a signal to the process and all it started.
  void Kill(int signal) const;

  // Waits for the end and returns how it came, such as "exited with status 1"
  // or "was killed by signal 7" and what that means. Call once.
  std::string Reap();

 private:
  WorkerProcess(pid_t pid, FileDescriptor ended, FileDescriptor line)
      : pid_(pid), ended_(std::move(ended)), line_(std::move(line)) {}

  pid_t pid_;
  FileDescriptor ended_;
  FileDescriptor line_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_PROCESS_H_
