#ifndef MOEPROBE_CORE_PROBE_JACOBIAN_SKETCH_H_
#define MOEPROBE_CORE_PROBE_JACOBIAN_SKETCH_H_

#include <ATen/core/Tensor.h>

#include "core/probe/token_jacobians.h"

namespace moeprobe {

// Returns J_i q for each of n Jacobians of one expert and every direction q of
// `directions` [m, d], of the type of the weights: [n, m, d].
//
// One product with W_down for all of them: 2 n m f d operations, half of what
// transposed Jacobians would take. Over all unit vectors q the products hold
// everything: <J_i, J_k> is the sum of <J_i q, J_k q>. Averaged Jacobians are
// of the same form as those at tokens.
at::Tensor SketchOf(const TokenJacobians& jacobians,
                    const at::Tensor& directions);

// Returns the inner products <J_e q, K_e' q> over experts for each direction,
// [m, ..., E, E] float64, from sketches [E, ..., m, d] of J and K.
at::Tensor GramsByDirection(const at::Tensor& left, const at::Tensor& right);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_JACOBIAN_SKETCH_H_
