#ifndef MOEPROBE_CORE_PROBE_GRAM_COSINES_H_
#define MOEPROBE_CORE_PROBE_GRAM_COSINES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns g_ij / sqrt(g_ii g_jj) for matrices `gram` [..., E, E] of inner
// products, float64. The diagonal is 1; where g_ii <= 0, row and column i are
// NaN.
at::Tensor CosinesOf(const at::Tensor& gram);

// Returns by how much, to first order, each of several `terms` [m, ..., E, E]
// moves the cosines of `gram` [..., E, E] when added to it:
//   t_ij / sqrt(g_ii g_jj) - c_ij (t_ii / g_ii + t_jj / g_jj) / 2.
at::Tensor CosineChanges(const at::Tensor& gram, const at::Tensor& terms);

// Returns the standard error [E, E] of cosines that come from m out of `width`
// orthonormal directions which together are all there is, given what each
// direction alone would say, `changes` [m, E, E]: 0 where m is `width`.
at::Tensor ErrorOfDirections(const at::Tensor& changes, int64_t width);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_GRAM_COSINES_H_
