#ifndef MOEPROBE_CORE_TENSOR_TENSOR_ARRAY_H_
#define MOEPROBE_CORE_TENSOR_TENSOR_ARRAY_H_

#include <ATen/core/Tensor.h>

#include "core/base/npy.h"

namespace moeprobe {

// Returns a copy of `tensor`, which must be float64, float32 or int64, as an
// array that owes nothing to LibTorch.
Array ToArray(const at::Tensor& tensor);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TENSOR_TENSOR_ARRAY_H_
