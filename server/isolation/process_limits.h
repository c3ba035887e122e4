#ifndef MOEPROBE_SERVER_ISOLATION_PROCESS_LIMITS_H_
#define MOEPROBE_SERVER_ISOLATION_PROCESS_LIMITS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace moeprobe {

// What a process that computes for others may take.
struct ProcessLimits {
  // Address space that it alone may write, touched or not. Files mapped for
  // reading do not count: a checkpoint may be larger than memory. 0: no limit.
  int64_t memory_bytes = 0;
  // Size of each file that it writes; 0: no limit.
  int64_t file_bytes = 0;
};

// Files that a limited process may have open, and processes, threads included,
// that its account may have when it starts one.
inline constexpr int64_t kMaxOpenFiles = 4096;
inline constexpr int64_t kMaxProcesses = 16384;

// Limits this process and all that it starts, for good: as `limits` and the
// constants above say, without core dumps, without rights that a program file
// would give. Tighter limits that hold already stay. Where the machine's memory
// runs out, the kernel ends this process before others. Writing past the size
// of a file is an error from now on (EFBIG), not the end. Allocations past the
// memory fail as they do on a full machine.
//
// FailedPrecondition if the process holds more memory already; otherwise what
// the system says, which these calls have no reason to.
absl::Status LimitProcess(const ProcessLimits& limits);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ISOLATION_PROCESS_LIMITS_H_
