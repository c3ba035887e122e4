#include "core/probe/jacobian_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/geometry/leading_singular_values.h"
#include "core/model/activation_probe.h"
#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"
#include "core/model/router.h"
#include "core/probe/activation_rows.h"
#include "core/probe/alignment_gradient.h"
#include "core/probe/alignment_significance.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/corrected_alignment.h"
#include "core/probe/draw_weights.h"
#include "core/probe/drawn_rows.h"
#include "core/probe/expert_spread.h"
#include "core/probe/jacobian_by_tokens.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/projected_alignment.h"
#include "core/probe/token_spectra.h"
#include "core/significance/routing_draws.h"
#include "core/significance/window_groups.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Returns `values` [T, k] of the chosen experts as [E, T], 0 elsewhere.
at::Tensor ByExpert(const Routing& routing, const at::Tensor& values) {
  return at::zeros(routing.logits.sizes(), values.options())
      .scatter_(1, routing.chosen, values)
      .t()
      .contiguous();
}

}  // namespace

JacobianProbe::JacobianProbe(const ProbedLayer& layer,
                             const JacobianOptions& options,
                             const WindowGroups& groups,
                             const NullRoutings& nulls)
    : sums_(layer.tensors, options.average, groups.count),
      options_(options),
      counted_(layer.counted.to(at::kFloat)),
      routed_(ByExpert(layer.routing, at::ones_like(layer.routing.gates))),
      gates_(ByExpert(layer.routing, layer.routing.gates)),
      group_of_token_(groups.of_token) {
  if (UsesAllTokens()) AddRows(nulls);
}

bool JacobianProbe::UsesAllTokens() const {
  return std::ranges::find(options_.average, Weighting::kAll) !=
         options_.average.end();
}

void JacobianProbe::AddRows(const NullRoutings& nulls) {
  // [E, T]: 1 where a token that counts is routed to an expert.
  const at::Tensor of_experts =
      options_.by_tokens ? routed_ * counted_
                         : at::zeros({0, counted_.size(0)}, at::kFloat);
  token_counts_ = of_experts.sum(1, /*keepdim=*/false, at::kDouble);
  drawn_.router_count = nulls.random_router.count();
  drawn_.draw_count = drawn_.router_count + nulls.permutations.count();
  std::ranges::copy_if(options_.average, std::back_inserter(drawn_.weightings),
                       [](Weighting w) { return w != Weighting::kAll; });
  if (drawn_.draw_count + of_experts.size(0) == 0) return;
  for (int64_t e = 0; e < sums_.expert_count(); ++e) {
    std::vector<RowSet> sets;
    for (const Weighting weighting : drawn_.weightings) {
      const auto drawn = [nulls, e, weighting,
                          counted = counted_](const at::Tensor& tokens) {
        return at::cat({DrawWeights(nulls.random_router, e, weighting, tokens),
                        DrawWeights(nulls.permutations, e, weighting, tokens)})
            .mul_(counted.index_select(0, tokens));
      };
      sets.push_back({.count = drawn_.draw_count, .weights = drawn});
    }
    const auto by_tokens = [of_experts](const at::Tensor& tokens) {
      return of_experts.index_select(1, tokens);
    };
    sets.push_back({.count = of_experts.size(0), .weights = by_tokens});
    drawn_.experts.emplace_back(WidthsOf(sums_.Weights(e)), std::move(sets));
  }
}

ExpertRun JacobianProbe::Plan(int64_t expert, const ExpertTokens& routed) {
  ExpertRun run = PlanRoutedTokens(routed);
  if (sums_.IsShared(expert)) {
    AddSums(expert, at::ones_like(routed.gates), routed.gates, run);
  } else {
    AddSums(expert, routed_[expert].index_select(0, run.tokens),
            gates_[expert].index_select(0, run.tokens), run);
  }
  return run;
}

std::optional<ExpertRun> JacobianProbe::PlanOthers(int64_t expert,
                                                   const ExpertTokens& routed) {
  if (sums_.IsShared(expert)) return std::nullopt;  // it has run on every token
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
  weights.reserve(options_.average.size());
  for (const Weighting weighting : options_.average) {
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
  run.groups = group_of_token_.index_select(0, run.tokens);
  sums_.AddTo(expert, run);
  if (!sums_.IsShared(expert) && !drawn_.experts.empty()) {
    run.observer = &drawn_.experts[static_cast<size_t>(expert)];
  }
}

ProbeResult JacobianProbe::Finish(const std::optional<SpectraOptions>& spectra,
                                  const NullOptions& nulls,
                                  int64_t seed) const {
  const bool judged =
      nulls.bootstrap + nulls.random_router + nulls.permutations > 0;
  ProbeResult result;
  std::vector<ObservedAlignment> observed;
  for (size_t w = 0; w < options_.average.size(); ++w) {
    const Averages averages = AveragesOf(w, result);
    JacobianBlocks blocks(averages.jacobians);
    const at::Tensor gram = JacobianGram(blocks);
    const at::Tensor cosine = AddAlignment(averages, gram, result);
    observed.push_back(
        {.cosine = cosine,
         .corrected = CorrectedAlignment(sums_, w, gram, seed, result),
         .gradients = judged ? GradientsOf(averages, blocks, gram)
                             : std::vector<AlignmentGradient>()});
    if (options_.projections > 0) {
      Append(ProjectedAlignment(sums_, w, options_.projections, seed), result);
    }
    if (spectra) AddSpectra(averages, spectra->top, seed, result);
  }
  if (options_.by_tokens) Append(ByTokens(seed), result);
  if (judged) Append(Significance(observed, nulls, seed), result);
  return result;
}

std::vector<AlignmentGradient> JacobianProbe::GradientsOf(
    const Averages& averages, JacobianBlocks& blocks,
    const at::Tensor& gram) const {
  const at::Tensor routed = gram.clone();  // without the shared expert
  if (!averages.experts.empty() && sums_.IsShared(averages.experts.back())) {
    routed[-1][-1] = 0;
  }
  const std::vector<AlignmentGradient> found =
      AlignmentGradients(averages.jacobians, blocks, routed);
  std::vector<AlignmentGradient> gradients(
      static_cast<size_t>(sums_.expert_count()));
  for (size_t i = 0; i < found.size(); ++i) {
    if (sums_.IsShared(averages.experts[i])) continue;
    gradients[static_cast<size_t>(averages.experts[i])] = found[i];
  }
  return gradients;
}

ProbeResult JacobianProbe::ByTokens(int64_t seed) const {
  if (sums_.expert_count() < 2 || drawn_.experts.empty()) return {};
  const int64_t count = sums_.expert_count();
  std::vector<const MlpTensors*> experts;
  std::vector<ActivationTerms> sums;
  for (int64_t e = 0; e < count; ++e) {
    const RowSums& by_tokens =
        drawn_.experts[static_cast<size_t>(e)].sums(drawn_.weightings.size());
    experts.push_back(&sums_.Weights(e));
    sums.push_back({.slope = by_tokens.slope, .value = by_tokens.value});
  }
  return JacobianByTokens(experts, sums, token_counts_, seed);
}

JacobianProbe::Averages JacobianProbe::AveragesOf(size_t w,
                                                  ProbeResult& result) const {
  Averages averages{.weighting = NameOf(options_.average[w]),
                    .with_shared = sums_.has_shared() &&
                                   options_.average[w] == Weighting::kAll};
  const int64_t count = sums_.expert_count() + (averages.with_shared ? 1 : 0);
  for (int64_t e = 0; e < count; ++e) {
    if (sums_.WeightTotal(e, w) > 0) {
      averages.experts.push_back(e);
      averages.jacobians.push_back(sums_.Average(e, w));
    } else {
      result.warnings.push_back(absl::StrCat(
          "expert ", e, ": no token to average its Jacobian over (",
          averages.weighting, "); its norm and cosines are NaN"));
    }
  }
  return averages;
}

at::Tensor JacobianProbe::AddAlignment(const Averages& averages,
                                       const at::Tensor& gram,
                                       ProbeResult& result) const {
  const at::Tensor norm = gram.diagonal().sqrt();
  const at::Tensor cosine = gram / at::outer(norm, norm);
  cosine.diagonal().fill_(1);

  const int64_t count = sums_.expert_count() + (averages.with_shared ? 1 : 0);
  const at::Tensor norms = SpreadOverExperts(norm, averages.experts, count);
  const at::Tensor cosines = SpreadOverExperts(cosine, averages.experts, count);
  const auto add = [&](const std::string& quantity, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = absl::StrCat(quantity, "/", averages.weighting),
         .probe = absl::StrCat("jacobian/", averages.weighting),
         .array = ToArray(value)});
  };
  add("jacobian_norm", norms.slice(0, 0, sums_.expert_count()));
  const at::Tensor routed = cosines.slice(0, 0, sums_.expert_count())
                                .slice(1, 0, sums_.expert_count());
  add("jacobian_cosine", routed);
  if (averages.with_shared) {
    add("shared/jacobian_norm", norms[sums_.expert_count()]);
    add("shared/jacobian_cosine",
        cosines[sums_.expert_count()].slice(0, 0, sums_.expert_count()));
  }
  return routed;
}

ProbeResult JacobianProbe::Significance(
    const std::vector<ObservedAlignment>& observed, const NullOptions& options,
    int64_t seed) const {
  ProbeResult result =
      AlignmentSignificance(sums_, drawn_, observed, options, seed);
  const bool asked = options.random_router + options.permutations > 0;
  if (asked && !UsesAllTokens() && sums_.expert_count() > 1) {
    result.warnings.push_back(
        "alignment: no null of other routings, for which every expert has to "
        "run on every token; ask for `all` in probes.jacobian.average");
  }
  return result;
}

void JacobianProbe::AddSpectra(const Averages& averages, int64_t top,
                               int64_t seed, ProbeResult& result) const {
  const auto add = [&](const char* quantity, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = absl::StrCat(quantity, "/", averages.weighting),
         .probe = absl::StrCat("spectra/", averages.weighting),
         .array = ToArray(value)});
  };
  const at::Tensor values =
      at::full({sums_.expert_count(), SpectrumLength(sums_.Weights(0), top)},
               kNaN, at::kDouble);
  at::Tensor shared;  // [r]
  for (size_t i = 0; i < averages.jacobians.size(); ++i) {
    const int64_t expert = averages.experts[i];
    const JacobianSpectra spectrum =
        SpectrumOfAverage(averages.jacobians[i], top, seed);
    if (sums_.IsShared(expert)) {
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
    shared =
        at::full({SpectrumLength(sums_.Weights(sums_.expert_count()), top)},
                 kNaN, at::kDouble);
  }
  add("shared/jacobian_mean_singular_values", shared);
}

}  // namespace moeprobe
