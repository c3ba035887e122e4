#ifndef MOEPROBE_CORE_BASE_CRASH_POINT_H_
#define MOEPROBE_CORE_BASE_CRASH_POINT_H_

#include <atomic>

#include "absl/status/status.h"

namespace moeprobe {

// A place at which a test may end this process at once, as kill -9 does: all
// that is left is what it wrote and what it told others by then. `name`, a
// literal, is that of no other place: tests find them all in the sources.
//
// Unless one is armed, a place costs a look at an atomic variable. Thread-safe.
void CrashPoint(const char* name);

// Arms what MOEPROBE_CRASH_POINT says: NAME:VISIT:FILE. This process ends at
// its visit number VISIT, from 1, to the place NAME, having written NAME to
// FILE; not so where something is in FILE by then, because another process has
// ended there. The file is made and opened now: later a process may be kept
// from it. Call once, first thing in a program.
//
// InvalidArgument if it says something else; errors of FILE.
absl::Status ArmCrashPoint();

namespace crash_point_internal {

class ArmedPlace;

// What every place looks at; set once.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
inline std::atomic<ArmedPlace*> armed_place = nullptr;

void Visit(const char* name);

}  // namespace crash_point_internal

inline void CrashPoint(const char* name) {
  using crash_point_internal::armed_place;
  if (armed_place.load(std::memory_order_relaxed) != nullptr) {
    crash_point_internal::Visit(name);
  }
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_CRASH_POINT_H_
