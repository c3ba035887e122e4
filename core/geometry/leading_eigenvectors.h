#ifndef MOEPROBE_CORE_GEOMETRY_LEADING_EIGENVECTORS_H_
#define MOEPROBE_CORE_GEOMETRY_LEADING_EIGENVECTORS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns the eigenvectors of `matrix` [N, N] float64, symmetric, that belong
// to its `count` <= N largest eigenvalues: [N, count], orthonormal columns, the
// largest first. `eigenvalues` [N]: all of them, descending.
//
// Where few of many are asked for they come from a block Krylov space (Golub &
// Van Loan, Matrix Computations, 10.3), grown until each residual
//   |A v - lambda v| <= 1e-12 lambda_1,
// about what a full decomposition leaves. Knowing all eigenvalues, it cannot
// miss one unnoticed: if a residual stays above, the full decomposition is the
// way back. Same arguments, same bytes.
at::Tensor LeadingEigenvectors(const at::Tensor& matrix,
                               const at::Tensor& eigenvalues, int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_LEADING_EIGENVECTORS_H_
