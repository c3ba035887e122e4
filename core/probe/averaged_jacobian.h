#ifndef MOEPROBE_CORE_PROBE_AVERAGED_JACOBIAN_H_
#define MOEPROBE_CORE_PROBE_AVERAGED_JACOBIAN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// The averaged Jacobian of a gated expert, factored (SPEC: closed form):
//   J = W_down (diag(slope) W_gate + diag(value) W_up),
// slope = mean_w[silu'(W_gate x) * W_up x], value = mean_w[silu(W_gate x)].
// Exact: averaging and the products commute.
struct AveragedJacobian {
  const GatedMlpTensors* weights = nullptr;
  at::Tensor slope;  // [f] float64
  at::Tensor value;  // [f] float64
};

// Returns rows `begin` to `end` of J, [end - begin, d] float32.
at::Tensor JacobianRows(const AveragedJacobian& jacobian, int64_t begin,
                        int64_t end);

// Returns the Frobenius inner products <J_i, J_j>, [E, E] float64. All J have
// the same d; their f may differ. Works by blocks of rows, so that memory stays
// below about 1 GiB however many experts there are.
at::Tensor JacobianGram(const std::vector<AveragedJacobian>& jacobians);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_AVERAGED_JACOBIAN_H_
