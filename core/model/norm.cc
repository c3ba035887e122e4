#include "core/model/norm.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/layer_norm.h>
#include <c10/core/ScalarType.h>

#include "core/checkpoint/checkpoint.h"
#include "core/model/rms_norm.h"
#include "core/model/weight.h"

namespace moeprobe {

at::Tensor Norm(const at::Tensor& x, const NormTensors& tensors,
                double epsilon) {
  const at::Tensor weight = Weight(tensors.weight, at::kFloat);
  if (!tensors.bias) return RmsNorm(x, weight, epsilon);
  return at::layer_norm(x.to(at::kFloat), {x.size(-1)}, weight,
                        Weight(*tensors.bias, at::kFloat), epsilon);
}

}  // namespace moeprobe
