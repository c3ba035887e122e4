#ifndef MOEPROBE_CORE_BASE_STEADY_TIME_H_
#define MOEPROBE_CORE_BASE_STEADY_TIME_H_

#include <functional>

#include "absl/time/time.h"

namespace moeprobe {

// Returns a clock that shows the machine's time of this call and goes on by the
// monotonic clock from there: what passes between two looks at it is right
// whatever the machine's time is set to meanwhile. Thread-safe.
std::function<absl::Time()> SteadyTime();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_STEADY_TIME_H_
