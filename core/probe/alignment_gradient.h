#ifndef MOEPROBE_CORE_PROBE_ALIGNMENT_GRADIENT_H_
#define MOEPROBE_CORE_PROBE_ALIGNMENT_GRADIENT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/model/mlp_activation.h"
#include "core/probe/averaged_jacobian.h"

namespace moeprobe {

// Returns the matrix K [E, E] float64 with which the mean over pairs of the
// cosines of `gram` [E, E] changes to first order: by the sum over e of
//   <dJ_e, D_e>,  D_e = sum over e' of K_ee' J_e'.
// Experts with g_ee <= 0 have no pairs; their rows and columns are 0.
at::Tensor MeanCosineGradient(const at::Tensor& gram);

// The change of the mean cosine with an expert's averaged slope and value, of
// their widths, float64: <dJ_e, D_e> is slope' d(slope) + value' d(value).
struct AlignmentGradient {
  at::Tensor slope;  // diag(W_down' D_e W_gate')
  at::Tensor value;  // diag(W_down' D_e W_up')
};

// Returns the gradients of the mean cosine of `jacobians`, in order, given
// their rows and their inner products `gram`; those with g_ee <= 0 take no
// part. Each takes as much as an averaged Jacobian, 2 f d^2 operations: but
// serves for every variant of the sample.
//
// Weights stored in bfloat16 are multiplied in it: its rounding is random and
// leaves |dJ| |D| 2^-8 / d, far less than what is compared.
std::vector<AlignmentGradient> AlignmentGradients(
    const std::vector<AveragedJacobian>& jacobians, JacobianBlocks& blocks,
    const at::Tensor& gram);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ALIGNMENT_GRADIENT_H_
