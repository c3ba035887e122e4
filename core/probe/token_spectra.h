#ifndef MOEPROBE_CORE_PROBE_TOKEN_SPECTRA_H_
#define MOEPROBE_CORE_PROBE_TOKEN_SPECTRA_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/checkpoint/checkpoint.h"
#include "core/probe/averaged_jacobian.h"

namespace moeprobe {

// Returns r = min(top, d, f), the length of a spectrum of an expert.
int64_t SpectrumLength(const MlpTensors& tensors, int64_t top);

// Whether it takes fewer operations to build the Jacobians of so many tokens,
// 2 d^2 f each and then 4 d^2 a vector, than to multiply with their factors, 4
// d f a vector for each matrix, and have their norms from NormsSquared.
bool AreBuilt(const MlpTensors& tensors, int64_t tokens);

// Singular values of n Jacobians [d, d] of an expert, r of each.
struct JacobianSpectra {
  at::Tensor values;  // [n, r] float64: descending
  // [n] float64: |J|_F^2, of all values, not only the leading ones.
  at::Tensor norm_squared = {};
  at::Tensor error;  // [n] float64: estimated relative error of the values
  // At most so many was a Jacobian applied to; 0 where it was decomposed.
  int64_t vectors = 0;
};

// Returns the spectra of an expert's Jacobians at the rows of `x` [n, d]
// float32.
//
// Their rank is at most min(d, f). Where that is small, each Jacobian is
// decomposed in float64; `error` is 0. Elsewhere the leading values come from
// FindLeadingSingularValues: of Jacobians built one by one where AreBuilt says
// so, otherwise of all tokens at once, from products with the weights, and the
// norm from its closed form. `seed`: of the random start.
JacobianSpectra SpectraAtTokens(const MlpTensors& tensors, const at::Tensor& x,
                                int64_t top, int64_t seed);

// Returns the same of an averaged Jacobian, n = 1, without its norm. The
// Jacobian is built: a single one has too few vectors at a time for products
// with the weights to be fast.
JacobianSpectra SpectrumOfAverage(const AveragedJacobian& jacobian, int64_t top,
                                  int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_TOKEN_SPECTRA_H_
