#ifndef MOEPROBE_CORE_GEOMETRY_LEADING_DIRECTIONS_H_
#define MOEPROBE_CORE_GEOMETRY_LEADING_DIRECTIONS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns orthonormal columns [d, count] float32 that span, closely, the
// `count` leading right singular directions of `rows` [T, d] float32; the
// identity where `count` is d.
//
// A randomised range finder with two power iterations (Halko, Martinsson &
// Tropp, SIAM Review 53, 2011, algorithm 4.4). Same arguments, same bytes.
at::Tensor LeadingDirections(const at::Tensor& rows, int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_LEADING_DIRECTIONS_H_
