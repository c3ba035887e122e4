#ifndef MOEPROBE_CORE_GEOMETRY_SUBSPACE_MEANS_H_
#define MOEPROBE_CORE_GEOMETRY_SUBSPACE_MEANS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Grassmann distances (eq. 8) of many small subspaces at once, for replicates
// whose mean is wanted: from cosines alone. Angles below 1e-6 are therefore
// rounding (and those below 1e-7 are 0), where GrassmannDistances keeps them.

// Returns the distances between each of `a` [p, m, n] and each of `b` [q, m, n]
// float64, orthonormal columns: [p, q] float64.
at::Tensor CrossDistances(const at::Tensor& a, const at::Tensor& b);

// Returns the mean distance over all pairs of `bases` [p, m, n] float64; NaN
// where there is no pair.
double MeanPairDistance(const at::Tensor& bases);

// Returns mean and standard deviation (n - 1 in the denominator) of the
// distance between two random subspaces of R^`width` of `size` dimensions, [2]
// float64, from `draws` >= 2 pairs of them.
at::Tensor RandomSubspaceDistance(int64_t width, int64_t size, int64_t draws,
                                  uint64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_SUBSPACE_MEANS_H_
