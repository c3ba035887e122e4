#ifndef MOEPROBE_CORE_PROBE_AVERAGED_JACOBIAN_H_
#define MOEPROBE_CORE_PROBE_AVERAGED_JACOBIAN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// The averaged Jacobian of an expert, factored (SPEC: closed form):
//   J = W_down (diag(slope) W_gate + diag(value) W_up),
// slope = mean_w[silu'(W_gate x) * W_up x], value = mean_w[silu(W_gate x)]
// where it is gated; without the second term, slope = mean_w[gelu'(W_gate x +
// b_gate)], where it has two layers. Exact: averaging and the products commute.
struct AveragedJacobian {
  const MlpTensors* weights = nullptr;
  at::Tensor slope;  // [f] float64
  at::Tensor value;  // [f or 0] float64
};

// Returns rows `begin` to `end` of J, [end - begin, d] float32.
at::Tensor JacobianRows(const AveragedJacobian& jacobian, int64_t begin,
                        int64_t end);

// The rows of several averaged Jacobians of the same d, by blocks, so that
// memory stays below about 1 GiB however many there are. Not thread-safe.
class JacobianBlocks {
 public:
  // Keeps a reference to `jacobians`.
  explicit JacobianBlocks(const std::vector<AveragedJacobian>& jacobians);

  // Calls visit(begin, rows) for each block in order: `rows` [E, n, d] float32
  // are the rows from `begin` on of every J. The last block is kept: where
  // there is only one, another call has nothing to compute.
  void ForEach(
      absl::FunctionRef<void(int64_t begin, const at::Tensor& rows)> visit);

  int64_t count() const { return static_cast<int64_t>(jacobians_.size()); }

 private:
  const std::vector<AveragedJacobian>& jacobians_;
  int64_t width_ = 0;   // d
  int64_t height_ = 0;  // rows of a block
  at::Tensor memory_;
  int64_t kept_ = -1;  // where the block in memory begins
};

// Returns the Frobenius inner products <J_i, J_j>, [E, E] float64.
at::Tensor JacobianGram(JacobianBlocks& blocks);

// The same of `jacobians`, whose f may differ.
at::Tensor JacobianGram(const std::vector<AveragedJacobian>& jacobians);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_AVERAGED_JACOBIAN_H_
