#include "bench/process_memory.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "bench/figure.h"
#include "core/base/heap.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kSamplingPeriod(5);

// The number after `key` in a file such as /proc/self/status; 0 without it.
int64_t NumberAfter(const std::string& key, const std::string& path) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    int64_t number = 0;
    if (word == key && file >> number) return number;
  }
  return 0;
}

int64_t StatusBytes(const std::string& key) {
  return NumberAfter(key, "/proc/self/status") * 1024;  // given in KiB
}

}  // namespace

int64_t PeakResidentBytes() { return StatusBytes("VmHWM:"); }

int64_t DiskBytesRead() { return NumberAfter("read_bytes:", "/proc/self/io"); }

absl::Status DropPageCache() {
  sync();  // dirty pages cannot be dropped
  std::ofstream file("/proc/sys/vm/drop_caches");
  file << 3 << std::flush;
  if (file.good()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "/proc/sys/vm/drop_caches: cannot be written; run this as root");
}

MemoryWatch::MemoryWatch()
    : disk_bytes_before_(DiskBytesRead()),
      peak_anonymous_bytes_(AnonymousBytes()),
      thread_([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          peak_anonymous_bytes_ =
              std::max(peak_anonymous_bytes_.load(), AnonymousBytes());
          std::this_thread::sleep_for(kSamplingPeriod);
        }
      }) {}

void MemoryWatch::AddTo(Figure& figure) const {
  figure["peak_anonymous_bytes"] = peak_anonymous_bytes_.load();
  figure["peak_resident_bytes"] = PeakResidentBytes();
  figure["disk_bytes_read"] = DiskBytesRead() - disk_bytes_before_;
}

}  // namespace moeprobe
