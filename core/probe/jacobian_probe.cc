#include "core/probe/jacobian_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/geometry/leading_singular_values.h"
#include "core/model/activation_probe.h"
#include "core/model/gated_activation.h"
#include "core/model/gated_mlp.h"
#include "core/model/router.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/token_spectra.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Spreads the results of the experts in `present` over all `count`: NaN for the
// others.
at::Tensor Spread(const at::Tensor& values, const at::Tensor& present,
                  int64_t count) {
  std::vector<int64_t> shape(static_cast<size_t>(values.dim()), count);
  const at::Tensor result = at::full(shape, kNaN, at::kDouble);
  if (values.dim() == 1) return result.index_copy(0, present, values);
  const at::Tensor rows = at::full({present.size(0), count}, kNaN, at::kDouble)
                              .index_copy(1, present, values);
  return result.index_copy(0, present, rows);
}

// Returns `values` [T, k] of the chosen experts as [E, T], 0 elsewhere.
at::Tensor ByExpert(const Routing& routing, const at::Tensor& values) {
  return at::zeros(routing.logits.sizes(), values.options())
      .scatter_(1, routing.chosen, values)
      .t()
      .contiguous();
}

}  // namespace

JacobianProbe::JacobianProbe(const LayerTensors& tensors,
                             std::vector<Weighting> weightings,
                             const Routing& routing, const at::Tensor& counted)
    : tensors_(tensors),
      weightings_(std::move(weightings)),
      counted_(counted.to(at::kFloat)),
      routed_(ByExpert(routing, at::ones_like(routing.gates))),
      gates_(ByExpert(routing, routing.gates)),
      expert_count_(
          tensors.dense ? 1 : static_cast<int64_t>(tensors.experts.size())) {
  const int64_t planned = expert_count_ + (tensors.shared ? 1 : 0);
  for (int64_t e = 0; e < planned; ++e) {
    sums_.push_back(ZeroActivationSums(static_cast<int64_t>(weightings_.size()),
                                       Weights(e).gate.shape[0]));
    weight_totals_.push_back(
        at::zeros({static_cast<int64_t>(weightings_.size())}, at::kDouble));
  }
}

bool JacobianProbe::UsesAllTokens() const {
  return std::ranges::find(weightings_, Weighting::kAll) != weightings_.end();
}

bool JacobianProbe::IsShared(int64_t expert) const {
  return expert == expert_count_;
}

const GatedMlpTensors& JacobianProbe::Weights(int64_t expert) const {
  if (tensors_.dense) return *tensors_.dense;
  if (tensors_.shared && IsShared(expert)) return *tensors_.shared;
  return tensors_.experts[static_cast<size_t>(expert)];
}

ExpertRun JacobianProbe::Plan(int64_t expert, const ExpertTokens& routed) {
  ExpertRun run = PlanRoutedTokens(routed);
  if (IsShared(expert)) {
    AddSums(expert, at::ones_like(routed.gates), routed.gates, run);
  } else {
    AddSums(expert, routed_[expert].index_select(0, run.tokens),
            gates_[expert].index_select(0, run.tokens), run);
  }
  return run;
}

std::optional<ExpertRun> JacobianProbe::PlanOthers(int64_t expert,
                                                   const ExpertTokens& routed) {
  if (IsShared(expert)) return std::nullopt;  // it has run on every token
  const at::Tensor wanted =
      UsesAllTokens() ? at::ones_like(counted_) : routed_[expert];
  ExpertRun run{.tokens =
                    wanted.index_fill(0, routed.tokens, 0).nonzero().flatten()};
  const int64_t count = run.tokens.size(0);
  if (count == 0) return std::nullopt;
  run.rows = at::full({count}, -1, at::kLong);
  AddSums(expert, routed_[expert].index_select(0, run.tokens),
          gates_[expert].index_select(0, run.tokens), run);
  return run;
}

// `routed` and `gates` [n]: of the run's tokens.
void JacobianProbe::AddSums(int64_t expert, const at::Tensor& routed,
                            const at::Tensor& gates, ExpertRun& run) {
  const at::Tensor counted = counted_.index_select(0, run.tokens);
  std::vector<at::Tensor> weights;
  weights.reserve(weightings_.size());
  for (const Weighting weighting : weightings_) {
    switch (weighting) {
      case Weighting::kAll:
        weights.push_back(counted);
        break;
      case Weighting::kRouted:
        weights.push_back(counted * routed);
        break;
      case Weighting::kGate:
        weights.push_back(counted * gates);
        break;
    }
  }
  run.weights = at::stack(weights);
  const auto e = static_cast<size_t>(expert);
  weight_totals_[e].add_(run.weights.sum(1, /*keepdim=*/false, at::kDouble));
  run.sums = &sums_[e];
}

ProbeResult JacobianProbe::Finish(const std::optional<SpectraOptions>& spectra,
                                  int64_t seed) const {
  ProbeResult result;
  for (size_t w = 0; w < weightings_.size(); ++w) {
    const Averages averages = AveragesOf(w, result);
    AddAlignment(averages, result);
    if (spectra) AddSpectra(averages, spectra->top, seed, result);
  }
  return result;
}

JacobianProbe::Averages JacobianProbe::AveragesOf(size_t w,
                                                  ProbeResult& result) const {
  Averages averages{
      .weighting = NameOf(weightings_[w]),
      .with_shared = tensors_.shared && weightings_[w] == Weighting::kAll};
  const auto row = static_cast<int64_t>(w);
  for (int64_t e = 0; e < expert_count_ + (averages.with_shared ? 1 : 0); ++e) {
    const auto index = static_cast<size_t>(e);
    const auto total = weight_totals_[index][row].item<double>();
    if (total > 0) {
      averages.experts.push_back(e);
      averages.jacobians.push_back({.weights = &Weights(e),
                                    .slope = sums_[index].slope[row] / total,
                                    .value = sums_[index].value[row] / total});
    } else {
      result.warnings.push_back(absl::StrCat(
          "expert ", e, ": no token to average its Jacobian over (",
          averages.weighting, "); its norm and cosines are NaN"));
    }
  }
  return averages;
}

void JacobianProbe::AddAlignment(const Averages& averages,
                                 ProbeResult& result) const {
  const at::Tensor gram = JacobianGram(averages.jacobians);
  const at::Tensor norm = gram.diagonal().sqrt();
  const at::Tensor cosine = gram / at::outer(norm, norm);
  cosine.diagonal().fill_(1);

  const at::Tensor where = at::tensor(averages.experts, at::kLong);
  const int64_t count = expert_count_ + (averages.with_shared ? 1 : 0);
  const at::Tensor norms = Spread(norm, where, count);
  const at::Tensor cosines = Spread(cosine, where, count);
  const auto add = [&](const std::string& quantity, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = absl::StrCat(quantity, "/", averages.weighting),
         .probe = absl::StrCat("jacobian/", averages.weighting),
         .array = ToArray(value)});
  };
  add("jacobian_norm", norms.slice(0, 0, expert_count_));
  add("jacobian_cosine",
      cosines.slice(0, 0, expert_count_).slice(1, 0, expert_count_));
  if (averages.with_shared) {
    add("shared/jacobian_norm", norms[expert_count_]);
    add("shared/jacobian_cosine",
        cosines[expert_count_].slice(0, 0, expert_count_));
  }
}

void JacobianProbe::AddSpectra(const Averages& averages, int64_t top,
                               int64_t seed, ProbeResult& result) const {
  const auto add = [&](const char* quantity, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = absl::StrCat(quantity, "/", averages.weighting),
         .probe = absl::StrCat("spectra/", averages.weighting),
         .array = ToArray(value)});
  };
  const at::Tensor values = at::full(
      {expert_count_, SpectrumLength(Weights(0), top)}, kNaN, at::kDouble);
  at::Tensor shared;  // [r]
  for (size_t i = 0; i < averages.jacobians.size(); ++i) {
    const int64_t expert = averages.experts[i];
    const JacobianSpectra spectrum =
        SpectrumOfAverage(averages.jacobians[i], top, seed);
    if (IsShared(expert)) {
      shared = spectrum.values[0];
    } else {
      values[expert].copy_(spectrum.values[0]);
    }
    const auto error = spectrum.error.item<double>();
    if (error <= kSingularValueTolerance) continue;
    result.warnings.push_back(absl::StrCat(
        "expert ", expert, ": singular values of its averaged Jacobian (",
        averages.weighting, ") have converged to ", error, " only, relative"));
  }
  add("jacobian_mean_singular_values", values);
  if (!averages.with_shared) return;
  if (!shared.defined()) {
    shared = at::full({SpectrumLength(Weights(expert_count_), top)}, kNaN,
                      at::kDouble);
  }
  add("shared/jacobian_mean_singular_values", shared);
}

}  // namespace moeprobe
