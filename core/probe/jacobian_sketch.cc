#include "core/probe/jacobian_sketch.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/matmul.h>
#include <c10/core/ScalarType.h>

#include "core/probe/token_jacobians.h"

namespace moeprobe {

at::Tensor SketchOf(const TokenJacobians& jacobians,
                    const at::Tensor& directions) {
  return ApplyToCommon(jacobians, directions);
}

at::Tensor GramsByDirection(const at::Tensor& left, const at::Tensor& right) {
  // [E, ..., m, d] to [m, ..., E, d].
  const at::Tensor a = left.transpose(0, -2).to(at::kDouble);
  const at::Tensor b = right.transpose(0, -2).to(at::kDouble);
  return at::matmul(a, b.mT());
}

}  // namespace moeprobe
