#include "core/probe/projected_alignment.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/mlp.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/expert_spread.h"
#include "core/probe/gram_cosines.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/token_jacobians.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

// [m, d] float32: ones, then Gaussians.
at::Tensor Vectors(int64_t count, int64_t width, int64_t seed) {
  at::Tensor vectors =
      at::randn({count, width},
                at::detail::createCPUGenerator(static_cast<uint64_t>(seed)));
  vectors[0].fill_(1);
  return vectors;
}

// v'J for every v, [m, d] float64.
at::Tensor Project(const AveragedJacobian& jacobian,
                   const at::Tensor& vectors) {
  const TokenJacobians factors{
      .weights = WeightsAs(*jacobian.weights, at::kFloat),
      .slope = jacobian.slope.to(at::kFloat).unsqueeze(0),
      .value = jacobian.value.to(at::kFloat).unsqueeze(0)};
  return ApplyTransposed(factors, vectors.unsqueeze(0))[0].to(at::kDouble);
}

}  // namespace

ProbeResult ProjectedAlignment(const JacobianSums& sums, size_t weighting,
                               int64_t projections, int64_t seed) {
  const at::Tensor vectors = Vectors(projections, sums.width(), seed);
  std::vector<int64_t> experts;
  std::vector<at::Tensor> rows;  // of each expert, [m, d]
  for (int64_t e = 0; e < sums.expert_count(); ++e) {
    if (sums.WeightTotal(e, weighting) <= 0) continue;
    experts.push_back(e);
    rows.push_back(Project(sums.Average(e, weighting), vectors));
  }
  std::vector<at::Tensor> cosines;
  for (int64_t v = 0; v < projections; ++v) {
    at::Tensor gram = at::zeros({0, 0}, at::kDouble);
    if (!experts.empty()) {
      const at::Tensor x = at::stack(rows).select(1, v);  // [n, d]
      gram = x.mm(x.t());
    }
    cosines.push_back(
        SpreadOverExperts(CosinesOf(gram), experts, sums.expert_count()));
  }
  const std::string name = NameOf(sums.weightings()[weighting]);
  ProbeResult result;
  result.arrays.push_back(
      {.name = absl::StrCat("jacobian_cosine_projected/", name),
       .probe = absl::StrCat("jacobian/projected/", name),
       .array = ToArray(at::stack(cosines))});
  return result;
}

}  // namespace moeprobe
