#ifndef MOEPROBE_CORE_GEOMETRY_PRINCIPAL_COMPONENTS_H_
#define MOEPROBE_CORE_GEOMETRY_PRINCIPAL_COMPONENTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace moeprobe {

// Rows of a data matrix, centred, without being stored:
//   row_i = scale_i h_i - centre_scale_i m,
// and perhaps one more row. Centring comes before any product, so a mean that
// dwarfs the variance costs no accuracy.
struct CentredRows {
  at::Tensor h;                                        // [n, d] float32
  at::Tensor scale;                                    // [n] float64
  at::Tensor centre_scale;                             // [n] float64
  at::Tensor centre;                                   // m: [d] float64
  std::optional<at::Tensor> extra_row = std::nullopt;  // [d] float64
  double divisor = 1;  // of the covariance: sum of row row' / divisor
};

// Eigenvalues and leading eigenvectors of a covariance matrix.
struct PrincipalComponents {
  at::Tensor eigenvalues;  // [d] float64: descending, not negative
  at::Tensor basis;        // [d, n] float64: orthonormal columns
};

// Returns the PCA of `rows` with a basis of `component_count` <= d columns, in
// float64 throughout.
//
// Where there are fewer rows than dimensions, it comes from the Gram matrix of
// the rows instead of the covariance: the same eigenvalues, and zeros.
PrincipalComponents FindPrincipalComponents(const CentredRows& rows,
                                            int64_t component_count);

// Returns the memory that FindPrincipalComponents needs for `row_count` rows of
// `width` dimensions, in bytes.
int64_t PrincipalComponentsBytes(int64_t row_count, int64_t width);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_PRINCIPAL_COMPONENTS_H_
