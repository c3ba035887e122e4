#ifndef MOEPROBE_CORE_GEOMETRY_SYMMETRIC_PRODUCT_H_
#define MOEPROBE_CORE_GEOMETRY_SYMMETRIC_PRODUCT_H_

#include <ATen/core/Tensor.h>

namespace moeprobe {

// Adds X'X to the upper triangle of `sum` [d, d], `x` [r, d] of the same dtype.
// Below the diagonal `sum` is left unspecified until `MirrorUpperTriangle`, so
// that the product costs little more than half of a whole one.
void AddSymmetricProduct(const at::Tensor& x, const at::Tensor& sum);

// Copies the upper triangle of the square `matrix` to the lower one, in place.
void MirrorUpperTriangle(const at::Tensor& matrix);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_SYMMETRIC_PRODUCT_H_
