#include "core/base/heap.h"

#include <malloc.h>

namespace moeprobe {
namespace {

constexpr int kMaxKeptBytes = 256 << 20;
constexpr int kMaxHeapBlockBytes = 32 << 20;  // the most that glibc allows

}  // namespace

void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, kMaxHeapBlockBytes);
  mallopt(M_TRIM_THRESHOLD, kMaxKeptBytes);
}

}  // namespace moeprobe
