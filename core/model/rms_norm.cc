#include "core/model/rms_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

namespace moeprobe {

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight,
                   double epsilon) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale =
      wide.square().mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_();
  return (wide * scale).mul_(weight);
}

}  // namespace moeprobe
