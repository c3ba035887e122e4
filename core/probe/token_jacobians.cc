#include "core/probe/token_jacobians.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>

#include "core/model/gated_mlp.h"

namespace moeprobe {
namespace {

// Hidden units in a block of NormsSquared: five matrices of this size squared.
constexpr int64_t kUnitsPerBlock = 1024;

// slope_i * of_gate + value_i * of_up, [n, b, f]; the arguments may be [n, b,
// f] or, the same for all tokens, [1, b, f].
at::Tensor Combine(const TokenJacobians& jacobians, const at::Tensor& of_gate,
                   const at::Tensor& of_up) {
  return (of_gate * jacobians.slope.unsqueeze(1))
      .addcmul_(of_up, jacobians.value.unsqueeze(1));
}

// Some hidden units of an expert and of its Jacobians.
struct Units {
  Units(const TokenJacobians& jacobians, int64_t begin)
      : end(std::min(begin + kUnitsPerBlock, jacobians.slope.size(1))),
        gate(jacobians.weights.gate.slice(0, begin, end)),
        up(jacobians.weights.up.slice(0, begin, end)),
        down(jacobians.weights.down.slice(1, begin, end)),
        slope(jacobians.slope.slice(1, begin, end)),
        value(jacobians.value.slice(1, begin, end)) {}

  int64_t end;
  at::Tensor gate, up, down, slope, value;
};

// The terms of NormsSquared between two blocks of units, [n] float64.
at::Tensor BlockTerms(const Units& i, const Units& j) {
  const at::Tensor down = i.down.t().mm(j.down);
  const auto term = [&](const at::Tensor& left, const at::Tensor& left_scale,
                        const at::Tensor& right,
                        const at::Tensor& right_scale) {
    const at::Tensor product = left.mm(right.t()).mul_(down);
    return left_scale.mm(product).to(at::kDouble).mul_(right_scale).sum(1);
  };
  return term(i.gate, i.slope, j.gate, j.slope) +
         term(i.gate, i.slope, j.up, j.value) +
         term(i.up, i.value, j.gate, j.slope) +
         term(i.up, i.value, j.up, j.value);
}

}  // namespace

TokenJacobians JacobiansAt(const GatedWeights& weights, const at::Tensor& x) {
  const at::Tensor tokens = x.to(weights.gate.scalar_type());
  const at::Tensor gate = at::linear(tokens, weights.gate);
  const at::Tensor up = at::linear(tokens, weights.up);
  const at::Tensor sigmoid = gate.sigmoid();
  // silu'(g) = s + g s (1 - s) with s the sigmoid of g.
  const at::Tensor derivative = (1 - sigmoid).mul_(gate).add_(1).mul_(sigmoid);
  return {
      .weights = weights, .slope = derivative * up, .value = gate * sigmoid};
}

at::Tensor OutputsAt(const GatedWeights& weights, const at::Tensor& x) {
  const at::Tensor tokens = x.to(weights.gate.scalar_type());
  return at::linear(at::silu(at::linear(tokens, weights.gate)) *
                        at::linear(tokens, weights.up),
                    weights.down);
}

at::Tensor ApplyToCommon(const TokenJacobians& jacobians,
                         const at::Tensor& of_gate, const at::Tensor& of_up) {
  return at::linear(
      Combine(jacobians, of_gate.unsqueeze(0), of_up.unsqueeze(0)),
      jacobians.weights.down);
}

at::Tensor Apply(const TokenJacobians& jacobians, const at::Tensor& x) {
  const GatedWeights& weights = jacobians.weights;
  return at::linear(Combine(jacobians, at::linear(x, weights.gate),
                            at::linear(x, weights.up)),
                    weights.down);
}

at::Tensor ApplyTransposed(const TokenJacobians& jacobians,
                           const at::Tensor& y) {
  const GatedWeights& weights = jacobians.weights;
  const at::Tensor hidden =
      y.flatten(0, 1)
          .mm(weights.down)
          .view({y.size(0), y.size(1), weights.down.size(1)});  // [n, b, f]
  const auto scaled = [&](const at::Tensor& scale) {
    return (hidden * scale.unsqueeze(1)).flatten(0, 1);
  };
  return scaled(jacobians.slope)
      .mm(weights.gate)
      .addmm_(scaled(jacobians.value), weights.up)
      .view({y.size(0), y.size(1), weights.gate.size(1)});
}

at::Tensor InputSides(const TokenJacobians& jacobians) {
  const GatedWeights& weights = jacobians.weights;
  return (weights.gate * jacobians.slope.unsqueeze(2))
      .addcmul_(weights.up, jacobians.value.unsqueeze(2));
}

at::Tensor NormsSquared(const TokenJacobians& jacobians) {
  const int64_t unit_count = jacobians.slope.size(1);
  at::Tensor sum = at::zeros({jacobians.slope.size(0)}, at::kDouble);
  for (int64_t begin = 0; begin < unit_count; begin += kUnitsPerBlock) {
    const Units units(jacobians, begin);
    sum.add_(BlockTerms(units, units));
    for (int64_t other = units.end; other < unit_count;
         other += kUnitsPerBlock) {
      sum.add_(BlockTerms(units, Units(jacobians, other)), 2);
    }
  }
  return sum;
}

}  // namespace moeprobe
