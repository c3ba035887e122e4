#ifndef MOEPROBE_CORE_BASE_DISK_ERROR_H_
#define MOEPROBE_CORE_BASE_DISK_ERROR_H_

#include <filesystem>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace moeprobe {

// When to try again what found no room, or a disk that fails: nobody knows when
// somebody will have seen to it, and a try costs little.
inline constexpr absl::Duration kDiskRetryDelay = absl::Seconds(30);

// Returns what it means that the system could not do something with `path` and
// gave `error_number` (errno) as the reason. The message says what happened,
// where, and what to do: ResourceExhausted where there is no room, Unavailable
// where the disk, or the machine that it is mounted from, fails; trying again
// helps once that has been seen to, and both have kDiskRetryDelay
// (RetryDelayOf), unless the file is larger than any may be. FailedPrecondition
// where this process may not: PermissionDenied would be about whoever called.
// Other numbers are those of absl::ErrnoToStatus.
absl::Status DiskError(int error_number, const std::filesystem::path& path);

// Whether the same may work later although nobody changes what it is about: a
// disk failed, there was no room or no descriptor left, or a file changed while
// it was read (Aborted).
bool MayPass(const absl::Status& status);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_DISK_ERROR_H_
