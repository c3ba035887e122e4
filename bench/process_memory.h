#ifndef MOEPROBE_BENCH_PROCESS_MEMORY_H_
#define MOEPROBE_BENCH_PROCESS_MEMORY_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "absl/status/status.h"
#include "bench/figure.h"

namespace moeprobe {

// The most memory that was ever resident, mapped files included.
int64_t PeakResidentBytes();

// Bytes this process made the kernel read from disk so far, by reading or by
// touching mapped files.
int64_t DiskBytesRead();

// Empties the kernel's page cache, as on a machine that has just started. Pages
// that some process has mapped and touched stay.
//
// PermissionDenied unless the process belongs to root.
absl::Status DropPageCache();

// Follows the anonymous memory of this process on a thread, every 5 ms, from
// construction on.
class MemoryWatch {
 public:
  MemoryWatch();

  // Adds "peak_anonymous_bytes", "peak_resident_bytes" and "disk_bytes_read"
  // (since construction) to `figure`.
  void AddTo(Figure& figure) const;

 private:
  int64_t disk_bytes_before_;
  std::atomic<int64_t> peak_anonymous_bytes_;
  std::jthread thread_;  // last: uses the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_PROCESS_MEMORY_H_
