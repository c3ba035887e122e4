#include "core/probe/alignment_gradient.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensordot.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/weight.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/gram_cosines.h"

namespace moeprobe {
namespace {

// Hidden units whose products with D stay in the cache.
constexpr int64_t kUnitsPerBlock = 1024;

// Adds what rows `begin` and following of D_e, [n, d], contribute.
void AddRows(const MlpTensors& tensors, int64_t begin, const at::Tensor& rows,
             const AlignmentGradient& gradient) {
  const at::Tensor down =
      StoredWeight(tensors.down).slice(0, begin, begin + rows.size(0));
  const at::Tensor gate = StoredWeight(tensors.gate);
  std::optional<at::Tensor> up;
  if (tensors.up) up = StoredWeight(*tensors.up);
  const at::ScalarType type =
      down.scalar_type() == at::kBFloat16 ? at::kBFloat16 : at::kFloat;
  const at::Tensor d = rows.to(type);
  for (int64_t unit = 0; unit < gate.size(0); unit += kUnitsPerBlock) {
    const int64_t end = std::min(unit + kUnitsPerBlock, gate.size(0));
    const at::Tensor product =
        down.slice(1, unit, end).to(type).t().mm(d).to(at::kFloat);
    const auto add = [&](const at::Tensor& weight, const at::Tensor& sum) {
      sum.slice(0, unit, end)
          .add_((product * weight.slice(0, unit, end)).sum(1));
    };
    add(gate, gradient.slope);
    if (up) add(*up, gradient.value);
  }
}

// u [E], so that the gradient's entries beside the diagonal are u_e u_e':
// 1 / |J_e| times the root of 2 / (n (n - 1)); 0 without length.
at::Tensor PairScales(const at::Tensor& gram) {
  const at::Tensor squares = gram.diagonal();
  const auto count = squares.gt(0).sum().item<double>();
  if (count < 2) return at::zeros_like(squares);
  return at::where(squares.gt(0), squares.clamp_min(0).rsqrt(), 0)
      .mul_(std::sqrt(2 / (count * (count - 1))));
}

}  // namespace

at::Tensor MeanCosineGradient(const at::Tensor& gram) {
  const at::Tensor cosine = CosinesOf(gram).nan_to_num();
  const at::Tensor scale = PairScales(gram);
  at::Tensor gradient = scale.unsqueeze(0) * scale.unsqueeze(1);
  gradient.diagonal().copy_((cosine.diagonal() - cosine.sum(1)) *
                            scale.square());
  return gradient;
}

std::vector<AlignmentGradient> AlignmentGradients(
    const std::vector<AveragedJacobian>& jacobians, JacobianBlocks& blocks,
    const at::Tensor& gram) {
  const at::Tensor scale = PairScales(gram);
  const at::Tensor own = MeanCosineGradient(gram).diagonal() - scale.square();
  std::vector<AlignmentGradient> gradients;
  for (const AveragedJacobian& jacobian : jacobians) {
    gradients.push_back({.slope = at::zeros_like(jacobian.slope),
                         .value = at::zeros_like(jacobian.value)});
  }
  blocks.ForEach([&](int64_t begin, const at::Tensor& rows) {
    const at::Tensor shared =
        at::tensordot(scale.to(at::kFloat), rows, {0}, {0});  // [n, d]
    for (size_t e = 0; e < jacobians.size(); ++e) {
      const auto place = static_cast<int64_t>(e);
      const auto of_shared = scale[place].item<double>();
      if (of_shared == 0) continue;
      const at::Tensor d_rows =
          shared * of_shared + rows[place] * own[place].item<double>();
      AddRows(*jacobians[e].weights, begin, d_rows, gradients[e]);
    }
  });
  return gradients;
}

}  // namespace moeprobe
