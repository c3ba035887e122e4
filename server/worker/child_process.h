#ifndef MOEPROBE_SERVER_WORKER_CHILD_PROCESS_H_
#define MOEPROBE_SERVER_WORKER_CHILD_PROCESS_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace moeprobe {

// A program to run to its end.
struct ChildProcess {
  std::vector<std::string> arguments;         // the first is the program's path
  std::vector<std::string> environment;       // all of it, as NAME=value
  std::filesystem::path input = "/dev/null";  // a file that it reads as stdin
  absl::Duration timeout = absl::InfiniteDuration();
  std::function<bool()> cancelled;  // polled; empty: never
};

// Runs a child, its output thrown away, and waits for it. No descriptor of this
// process but the standard ones reaches it.
//
// Returns OK if it exits with 0; NotFound if it cannot be started or has no
// such input; DeadlineExceeded or Cancelled, after killing it, at the time-out
// or on request; ResourceExhausted if the kernel ended it for its processor
// time; Unavailable if its exit status is 75 (EX_TEMPFAIL), by which it says
// that another try may help; FailedPrecondition for another exit status or
// signal. Messages are one printable line and end with the last line the child
// wrote on stderr, cut to 500 bytes.
absl::Status RunToEnd(const ChildProcess& child);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_CHILD_PROCESS_H_
