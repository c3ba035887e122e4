#ifndef MOEPROBE_CORE_MODEL_RMS_NORM_H_
#define MOEPROBE_CORE_MODEL_RMS_NORM_H_

#include <ATen/core/Tensor.h>

namespace moeprobe {

// Returns x / sqrt(mean(x^2) + epsilon) * weight over the last dimension, in
// float32 whatever the type of `x`.
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight,
                   double epsilon);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_RMS_NORM_H_
