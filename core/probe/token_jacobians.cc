#include "core/probe/token_jacobians.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <numbers>

#include "core/model/mlp.h"

namespace moeprobe {
namespace {

// Hidden units in a block of NormsSquared. Products within a block are made
// twice, so it is small; five matrices of so many rows are in memory.
constexpr int64_t kUnitsPerBlock = 256;

// Hidden units that JacobianOf adds up at a time: bounds their rows.
constexpr int64_t kUnitsPerProduct = 4096;

// slope_i * W_gate v + value_i * W_up v for vectors v = x[i, j], [n, b, f], of
// `x` [n, b, d] or, the same for all tokens, [1, b, d].
at::Tensor InputProducts(const TokenJacobians& jacobians, const at::Tensor& x) {
  const MlpWeights& weights = jacobians.weights;
  at::Tensor product =
      at::linear(x, weights.gate) * jacobians.slope.unsqueeze(1);
  if (weights.up) {
    product.addcmul_(at::linear(x, *weights.up), jacobians.value.unsqueeze(1));
  }
  return product;
}

// The terms of NormsSquared between some hidden units and those from the first
// of them on, [n] float64. Terms between two different blocks stand for their
// mirror images as well.
at::Tensor TermsOfBlock(const TokenJacobians& jacobians, int64_t begin) {
  const MlpWeights& weights = jacobians.weights;
  const int64_t end = std::min(begin + kUnitsPerBlock, weights.gate.size(0));
  const at::Tensor down =
      weights.down.slice(1, begin, end)
          .t()
          .mm(weights.down.slice(1, begin));  // [end - begin, f - begin]
  const auto term = [&](const at::Tensor& left, const at::Tensor& left_scale,
                        const at::Tensor& right,
                        const at::Tensor& right_scale) {
    const at::Tensor product =
        left.slice(0, begin, end).mm(right.slice(0, begin).t()).mul_(down);
    const at::Tensor terms = left_scale.slice(1, begin, end)
                                 .mm(product)
                                 .to(at::kDouble)
                                 .mul_(right_scale.slice(1, begin));
    return terms.sum(1) * 2 - terms.slice(1, 0, end - begin).sum(1);
  };
  const at::Tensor& slope = jacobians.slope;
  const at::Tensor& value = jacobians.value;
  at::Tensor sum = term(weights.gate, slope, weights.gate, slope);
  if (!weights.up) return sum;
  return sum + term(weights.gate, slope, *weights.up, value) +
         term(*weights.up, value, weights.gate, slope) +
         term(*weights.up, value, *weights.up, value);
}

// gelu'(z) = Phi(z) + z Phi'(z).
at::Tensor GeluDerivative(const at::Tensor& z) {
  const at::Tensor below = (z * std::numbers::sqrt2 / 2).erf_().add_(1).div_(2);
  const at::Tensor density =
      (z.square() / -2)
          .exp_()
          .mul_(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  return below.addcmul_(z, density);
}

}  // namespace

TokenJacobians JacobiansAt(const MlpWeights& weights, const at::Tensor& x) {
  const at::Tensor tokens = x.to(weights.gate.scalar_type());
  const at::Tensor gate = at::linear(tokens, weights.gate, weights.gate_bias);
  if (!weights.up) {
    return {.weights = weights,
            .slope = GeluDerivative(gate),
            .value = gate.slice(1, 0, 0)};
  }
  const at::Tensor up = at::linear(tokens, *weights.up);
  const at::Tensor sigmoid = gate.sigmoid();
  // silu'(g) = s + g s (1 - s) with s the sigmoid of g.
  const at::Tensor derivative = (1 - sigmoid).mul_(gate).add_(1).mul_(sigmoid);
  return {
      .weights = weights, .slope = derivative * up, .value = gate * sigmoid};
}

at::Tensor OutputsAt(const MlpWeights& weights, const at::Tensor& x) {
  const at::Tensor tokens = x.to(weights.gate.scalar_type());
  const at::Tensor gate = at::linear(tokens, weights.gate, weights.gate_bias);
  const at::Tensor inner =
      weights.up ? at::silu(gate) * at::linear(tokens, *weights.up)
                 : at::gelu(gate);
  return at::linear(inner, weights.down, weights.down_bias);
}

at::Tensor ApplyToCommon(const TokenJacobians& jacobians, const at::Tensor& x) {
  return Apply(jacobians, x.unsqueeze(0));
}

at::Tensor Apply(const TokenJacobians& jacobians, const at::Tensor& x) {
  return at::linear(InputProducts(jacobians, x), jacobians.weights.down);
}

at::Tensor ApplyTransposed(const TokenJacobians& jacobians,
                           const at::Tensor& y) {
  const MlpWeights& weights = jacobians.weights;
  const at::Tensor hidden =
      y.flatten(0, 1)
          .mm(weights.down)
          .view({y.size(0), y.size(1), weights.down.size(1)});  // [n, b, f]
  const auto scaled = [&](const at::Tensor& scale) {
    return (hidden * scale.unsqueeze(1)).flatten(0, 1);
  };
  at::Tensor product = scaled(jacobians.slope).mm(weights.gate);
  if (weights.up) product.addmm_(scaled(jacobians.value), *weights.up);
  return product.view({y.size(0), y.size(1), weights.gate.size(1)});
}

at::Tensor InputSides(const TokenJacobians& jacobians) {
  const MlpWeights& weights = jacobians.weights;
  at::Tensor sides = weights.gate * jacobians.slope.unsqueeze(2);
  if (weights.up) sides.addcmul_(*weights.up, jacobians.value.unsqueeze(2));
  return sides;
}

at::Tensor JacobianOf(const TokenJacobians& jacobians, int64_t i) {
  const MlpWeights& weights = jacobians.weights;
  const int64_t width = weights.gate.size(1);
  at::Tensor sum = at::zeros({width, width}, weights.gate.options());
  for (int64_t begin = 0; begin < weights.gate.size(0);
       begin += kUnitsPerProduct) {
    const int64_t end =
        std::min(begin + kUnitsPerProduct, weights.gate.size(0));
    const auto scale = [&](const at::Tensor& of_tokens) {
      return of_tokens[i].slice(0, begin, end).unsqueeze(1);
    };
    at::Tensor side =
        weights.gate.slice(0, begin, end) * scale(jacobians.slope);
    if (weights.up) {
      side.addcmul_(weights.up->slice(0, begin, end), scale(jacobians.value));
    }
    sum.addmm_(weights.down.slice(1, begin, end), side);
  }
  return sum;
}

at::Tensor NormsSquared(const TokenJacobians& jacobians) {
  at::Tensor sum = at::zeros({jacobians.slope.size(0)}, at::kDouble);
  for (int64_t begin = 0; begin < jacobians.slope.size(1);
       begin += kUnitsPerBlock) {
    sum.add_(TermsOfBlock(jacobians, begin));
  }
  return sum;
}

}  // namespace moeprobe
