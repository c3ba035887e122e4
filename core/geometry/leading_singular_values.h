#ifndef MOEPROBE_CORE_GEOMETRY_LEADING_SINGULAR_VALUES_H_
#define MOEPROBE_CORE_GEOMETRY_LEADING_SINGULAR_VALUES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/geometry/krylov_batch.h"

namespace moeprobe {

// Singular values, and how far they can be trusted.
struct LeadingSingularValues {
  at::Tensor values;  // [n, count] float64: descending
  // [n] float64: estimate of the largest relative error of a map's values.
  at::Tensor error;
  int64_t vectors = 0;  // that each map and its transpose were applied to
};

// Relative error at which the block method stops.
inline constexpr double kSingularValueTolerance = 1e-4;

// Values below this share of the largest are zero to float32: their error is
// measured against it.
inline constexpr double kSmallestSingularRatio = 1e-6;

// Dimensions the block method may use for `count` values. Where the rank of a
// map is not larger, a full decomposition is the better way.
constexpr int64_t KrylovDimensions(int64_t count) { return 16 * count + 128; }

// Returns the `count` leading singular values of each of `maps`, without their
// matrices: from block Krylov spaces, grown until the estimated error of every
// value is at most kSingularValueTolerance or `max_dimension` is reached.
//
// With residual rho of an approximate pair, A'A has an eigenvalue within rho of
// sigma^2, and within rho^2 / gap where the others are `gap` away (Parlett, The
// Symmetric Eigenvalue Problem, 11.7); the smaller of the two is the estimate.
// `max_dimension`: at least `count` + 16, at most d.
LeadingSingularValues FindLeadingSingularValues(const LinearMaps& maps,
                                                int64_t count,
                                                int64_t max_dimension,
                                                int64_t seed);

// Returns all singular values of each of `matrices` [n, p, q] float64, [n,
// min(p, q)], descending.
at::Tensor AllSingularValues(const at::Tensor& matrices);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_LEADING_SINGULAR_VALUES_H_
