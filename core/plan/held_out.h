#ifndef MOEPROBE_CORE_PLAN_HELD_OUT_H_
#define MOEPROBE_CORE_PLAN_HELD_OUT_H_

#include <cstdint>

namespace moeprobe {

// Returns how many of `tokens`, the last ones, are not learned from: `share` (0
// to below 1) of them, rounded down.
inline int64_t HeldOutCount(int64_t tokens, double share) {
  return static_cast<int64_t>(share * static_cast<double>(tokens));
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_HELD_OUT_H_
