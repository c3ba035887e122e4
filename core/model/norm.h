#ifndef MOEPROBE_CORE_MODEL_NORM_H_
#define MOEPROBE_CORE_MODEL_NORM_H_

#include <ATen/core/Tensor.h>

#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// Returns `x` [..., d] normalised over the last dimension, in float32 whatever
// its type: by RmsNorm or, where the norm has a bias, by a layer norm,
//   (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias.
at::Tensor Norm(const at::Tensor& x, const NormTensors& tensors,
                double epsilon);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_NORM_H_
