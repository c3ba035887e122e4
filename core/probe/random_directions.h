#ifndef MOEPROBE_CORE_PROBE_RANDOM_DIRECTIONS_H_
#define MOEPROBE_CORE_PROBE_RANDOM_DIRECTIONS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns orthonormal rows [m, width]: where the width is at most
// `most_exact` all unit vectors, float64, so that sums over them are traces;
// else `count` random directions, float32, over which width / m times the sum
// estimates a trace without bias. `count` <= `width`.
at::Tensor RandomDirections(int64_t width, int64_t most_exact, int64_t count,
                            int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_RANDOM_DIRECTIONS_H_
