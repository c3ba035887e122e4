#ifndef MOEPROBE_BENCH_DISK_RATE_H_
#define MOEPROBE_BENCH_DISK_RATE_H_

#include <filesystem>

#include "absl/status/statusor.h"

namespace moeprobe {

// Returns how fast the disk gives away up to 1 GiB at the beginning of a file,
// in bytes a second: read past the page cache, in order, in large pieces. What
// a pass over weights from disk can reach at best.
//
// Errors: what the system says of the file; FailedPrecondition if it is shorter
// than 64 MiB, too short to tell.
absl::StatusOr<double> DiskRate(const std::filesystem::path& file);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_DISK_RATE_H_
