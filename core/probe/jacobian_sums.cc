#include "core/probe/jacobian_sums.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/probe_options.h"

namespace moeprobe {
namespace {

// Adds rows one after the other: the same bytes however many there are beside
// them in memory.
at::Tensor AddRows(const at::Tensor& rows, GroupRange range) {
  at::Tensor sum = at::zeros({rows.size(1)}, rows.options());
  for (int64_t g = range.first; g < rows.size(0); g += range.step) {
    sum.add_(rows[g]);
  }
  return sum;
}

}  // namespace

JacobianSums::JacobianSums(const LayerTensors& tensors,
                           std::vector<Weighting> weightings, int64_t groups)
    : tensors_(tensors),
      weightings_(std::move(weightings)),
      groups_(groups),
      expert_count_(
          tensors.dense ? 1 : static_cast<int64_t>(tensors.experts.size())) {
  const auto count = static_cast<int64_t>(weightings_.size());
  for (int64_t e = 0; e < expert_count_ + (has_shared() ? 1 : 0); ++e) {
    sums_.push_back(ZeroActivationSums(groups, count, WidthsOf(Weights(e))));
    totals_.push_back(at::zeros({groups, count}, at::kDouble));
  }
}

void JacobianSums::AddTo(int64_t expert, ExpertRun& run) {
  const auto e = static_cast<size_t>(expert);
  totals_[e].index_add_(0, run.groups, run.weights.t().to(at::kDouble));
  run.sums = &sums_[e];
}

const MlpTensors& JacobianSums::Weights(int64_t expert) const {
  if (tensors_.dense) return *tensors_.dense;
  if (has_shared() && IsShared(expert)) return *tensors_.shared;
  return tensors_.experts[static_cast<size_t>(expert)];
}

bool JacobianSums::StoredInBFloat16() const {
  bool all = true;
  for (int64_t e = 0; e < expert_count_; ++e) {
    VisitMlp(Weights(e), [&](const TensorView& view) {
      all = all && view.type == WeightType::kBFloat16;
    });
  }
  return all;
}

at::Tensor JacobianSums::WeightTotals(int64_t expert, size_t weighting) const {
  return totals_[static_cast<size_t>(expert)].select(
      1, static_cast<int64_t>(weighting));
}

double JacobianSums::WeightTotal(int64_t expert, size_t weighting,
                                 GroupRange range) const {
  return AddRows(WeightTotals(expert, weighting).unsqueeze(1), range)
      .item<double>();
}

AveragedJacobian JacobianSums::Average(int64_t expert, size_t weighting,
                                       GroupRange range) const {
  const double total = WeightTotal(expert, weighting, range);
  const ActivationSums& sums = sums_[static_cast<size_t>(expert)];
  const auto row = static_cast<int64_t>(weighting);
  return {.weights = &Weights(expert),
          .slope = AddRows(sums.slope.select(1, row), range).div_(total),
          .value = AddRows(sums.value.select(1, row), range).div_(total)};
}

ActivationSums JacobianSums::ByGroup(int64_t expert, size_t weighting) const {
  const ActivationSums& sums = sums_[static_cast<size_t>(expert)];
  const auto row = static_cast<int64_t>(weighting);
  return {.slope = sums.slope.select(1, row).contiguous(),
          .value = sums.value.select(1, row).contiguous()};
}

}  // namespace moeprobe
