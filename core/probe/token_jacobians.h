#ifndef MOEPROBE_CORE_PROBE_TOKEN_JACOBIANS_H_
#define MOEPROBE_CORE_PROBE_TOKEN_JACOBIANS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/mlp.h"

namespace moeprobe {

// The Jacobians of an expert at n tokens, factored (SPEC: closed form):
//   J_i = W_down (diag(slope_i) W_gate + diag(value_i) W_up),
// slope = silu'(W_gate x) * W_up x, value = silu(W_gate x) where it is gated;
// without the second term, slope = gelu'(W_gate x + b_gate), where it has two
// layers.
struct TokenJacobians {
  MlpWeights weights;
  at::Tensor slope;  // [n, f], of the type of the weights
  at::Tensor value;  // [n, f or 0], of the type of the weights
};

// Returns the Jacobians at the rows of `x` [n, d], which becomes of the type of
// the weights.
TokenJacobians JacobiansAt(const MlpWeights& weights, const at::Tensor& x);

// Returns f(x) for the rows of `x` [n, d], of the type of the weights.
at::Tensor OutputsAt(const MlpWeights& weights, const at::Tensor& x);

// Returns J_i v for every row v of x[i]: [n, b, d] to [n, b, d]. One product
// for each weight matrix, however many tokens.
at::Tensor Apply(const TokenJacobians& jacobians, const at::Tensor& x);

// The same for vectors that all tokens have in common: [m, d] to [n, m, d].
at::Tensor ApplyToCommon(const TokenJacobians& jacobians, const at::Tensor& x);

// Returns J_i' v for every row v of y[i]: [n, b, d] to [n, b, d].
at::Tensor ApplyTransposed(const TokenJacobians& jacobians,
                           const at::Tensor& y);

// Returns diag(slope_i) W_gate + diag(value_i) W_up, [n, f, d]: all of J_i but
// W_down.
at::Tensor InputSides(const TokenJacobians& jacobians);

// Returns J_i itself, [d, d].
at::Tensor JacobianOf(const TokenJacobians& jacobians, int64_t i);

// Returns |J_i|_F^2, [n] float64, without any J_i (SPEC: function geometry):
//   a'(D o GG)a + a'(D o GU)b + b'(D o UG)a + b'(D o UU)b
// with a = slope_i, b = value_i, D = W_down'W_down, GU = W_gate W_up' and so
// on. Blocks of these are made once for all tokens: 5 f^2 d operations, or the
// 2 f^2 d of the first term where there is no W_up.
at::Tensor NormsSquared(const TokenJacobians& jacobians);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_TOKEN_JACOBIANS_H_
