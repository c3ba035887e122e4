#ifndef MOEPROBE_CORE_BASE_NUMERICS_VERSION_H_
#define MOEPROBE_CORE_BASE_NUMERICS_VERSION_H_

namespace moeprobe {

// Version of the definitions behind the numbers, part of every cache key:
// raised by a change that may alter a single byte of any result array.
inline constexpr int kNumericsVersion = 9;

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_NUMERICS_VERSION_H_
