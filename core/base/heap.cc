#include "core/base/heap.h"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

namespace moeprobe {
namespace {

constexpr int kMaxHeapBlockBytes = 32 << 20;  // the most that glibc allows

// Returns a line of /proc/self/status, such as "RssAnon:", in bytes; 0 where
// there is none.
int64_t BytesInStatus(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    int64_t kibibytes = 0;
    if (word == name && file >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

}  // namespace

void KeepFreedMemory(int bytes) {
  mallopt(M_MMAP_THRESHOLD, std::min(bytes / 4, kMaxHeapBlockBytes));
  mallopt(M_TRIM_THRESHOLD, bytes);
}

void LimitHeaps(int count) { mallopt(M_ARENA_MAX, count); }

int64_t AnonymousBytes() { return BytesInStatus("RssAnon:"); }

int64_t WritableBytes() { return BytesInStatus("VmData:"); }

}  // namespace moeprobe
