#ifndef MOEPROBE_CORE_GEOMETRY_LEADING_SUBSPACE_H_
#define MOEPROBE_CORE_GEOMETRY_LEADING_SUBSPACE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Widths up to which a leading subspace comes from a full decomposition.
inline constexpr int64_t kMostDecomposedWidth = 512;

// Residual at which a wider one is good enough, relative to lambda_1.
inline constexpr double kSubspaceTolerance = 1e-3;

// A subspace, and how much of a matrix lies in it.
struct LeadingSubspace {
  at::Tensor basis;     // [d, count] float64: orthonormal columns
  double energy = 0;    // trace(basis' matrix basis) / trace(matrix)
  double residual = 0;  // largest |A v - theta v| / lambda_1; 0: decomposed
};

// Returns the span of the eigenvectors that belong to the `count` <= d largest
// eigenvalues of `matrix` [d, d] float64, symmetric and not negative.
//
// Wider than kMostDecomposedWidth it comes from a block Krylov space, grown
// until each residual is below kSubspaceTolerance: vectors inside are then
// exact for every purpose, those at the edge are mixed with neighbours whose
// eigenvalues differ by less than that. Where the space would have to grow
// beyond half of all dimensions the full decomposition is the way back.
//
// Of a zero matrix the energy is NaN. Same arguments, same bytes.
LeadingSubspace FindLeadingSubspace(const at::Tensor& matrix, int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_LEADING_SUBSPACE_H_
