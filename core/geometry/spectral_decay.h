#ifndef MOEPROBE_CORE_GEOMETRY_SPECTRAL_DECAY_H_
#define MOEPROBE_CORE_GEOMETRY_SPECTRAL_DECAY_H_

#include <ATen/core/Tensor.h>

namespace moeprobe {

// Returns how fast each row of `values` [n, r] float64, descending, falls: the
// exponent a of sigma_i ~ i^-a, [n] float64, from the least squares line of
// ln sigma_i against ln i over the ranks i = 1, ..., r.
//
// Against ln i rather than i, because singular values of trained networks fall
// as a power of the rank, not exponentially: a line fits, and the exponent
// depends little on r, where an exponential rate would shrink as r grows. It
// does not depend on the scale of the values. 0: all are equal.
//
// NaN where there is no such line: r = 1, or the last value is zero to float32
// (at most kSmallestSingularRatio of the first).
at::Tensor SpectralDecay(const at::Tensor& values);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_SPECTRAL_DECAY_H_
