#include "core/base/heap.h"

#include <malloc.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace moeprobe {
namespace {

constexpr int kMaxKeptBytes = 256 << 20;
constexpr int kMaxHeapBlockBytes = 32 << 20;  // the most that glibc allows

}  // namespace

void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, kMaxHeapBlockBytes);
  mallopt(M_TRIM_THRESHOLD, kMaxKeptBytes);
}

int64_t AnonymousBytes() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    int64_t kibibytes = 0;
    if (word == "RssAnon:" && file >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

}  // namespace moeprobe
