#include "core/probe/alignment_significance.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/geometry/pair_means.h"
#include "core/model/mlp_activation.h"
#include "core/probe/activation_rows.h"
#include "core/probe/alignment_gradient.h"
#include "core/probe/alignment_replicates.h"
#include "core/probe/drawn_rows.h"
#include "core/probe/gram_cosines.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/significance_arrays.h"
#include "core/significance/bootstrap_counts.h"

namespace moeprobe {
namespace {

// By expert, [n, E].
struct ByExpert {
  at::Tensor totals;   // weights of the tokens
  at::Tensor changes;  // <J_e, D_e> with the sum J_e
};

// <J, D> of the rows of slope and value; 0 where there is no gradient.
at::Tensor Along(const at::Tensor& slope, const at::Tensor& value,
                 const AlignmentGradient& gradient) {
  if (!gradient.slope.defined()) {
    return at::zeros({slope.size(0)}, at::kDouble);
  }
  const at::ScalarType type = slope.scalar_type();
  return (slope.mv(gradient.slope.to(type)) + value.mv(gradient.value.to(type)))
      .to(at::kDouble);
}

// Of each window group, `n` = groups.
ByExpert OfGroups(const JacobianSums& sums, size_t w,
                  const std::vector<AlignmentGradient>& gradients) {
  std::vector<at::Tensor> totals;
  std::vector<at::Tensor> changes;
  for (int64_t e = 0; e < sums.expert_count(); ++e) {
    const ActivationSums groups = sums.ByGroup(e, w);
    totals.push_back(sums.WeightTotals(e, w));
    changes.push_back(
        Along(groups.slope, groups.value, gradients[static_cast<size_t>(e)]));
  }
  return {.totals = at::stack(totals, 1), .changes = at::stack(changes, 1)};
}

// Of the model's own routing and of each one drawn, `n` = 1 + draws. `set`: of
// the weighting, among the drawn ones.
ByExpert OfRoutings(const JacobianSums& sums, const DrawnRows& drawn, size_t w,
                    size_t set,
                    const std::vector<AlignmentGradient>& gradients) {
  const ByExpert own = OfGroups(sums, w, gradients);
  std::vector<at::Tensor> totals;
  std::vector<at::Tensor> changes;
  for (int64_t e = 0; e < sums.expert_count(); ++e) {
    const RowSums& rows = drawn.experts[static_cast<size_t>(e)].sums(set);
    totals.push_back(rows.totals);
    changes.push_back(
        Along(rows.slope, rows.value, gradients[static_cast<size_t>(e)]));
  }
  const auto after = [](const at::Tensor& model,
                        const std::vector<at::Tensor>& drawn_ones) {
    return at::cat({model.sum(0, /*keepdim=*/true), at::stack(drawn_ones, 1)});
  };
  return {.totals = after(own.totals, totals),
          .changes = after(own.changes, changes)};
}

// The sum over experts of <J_e, D_e> for averages J_e, [n]; experts without
// weight are not in a mean's change.
at::Tensor ExactChange(const ByExpert& sums) {
  return (sums.changes / sums.totals)
      .nan_to_num(/*nan=*/0, /*posinf=*/0, /*neginf=*/0)
      .sum(1);
}

// The same from the sketch: `products` [n, E, E] are <J_e, J(0)_e'> and `first`
// [E, E] those of J(0) with itself, all of averages.
at::Tensor SketchedChange(const at::Tensor& products, const at::Tensor& first) {
  return (products.nan_to_num(0, 0, 0) * MeanCosineGradient(first)).sum({1, 2});
}

// Inner products of averages, from those of sums.
at::Tensor OfAverages(const at::Tensor& products, const at::Tensor& left,
                      const at::Tensor& right) {
  return products / left.unsqueeze(-1) / right.unsqueeze(-2);
}

// The means of variants of the sample around the first one's, which is
// `observed`.
at::Tensor Around(double observed, const at::Tensor& exact,
                  const at::Tensor& sketched, const at::Tensor& means) {
  const at::Tensor rest = means - sketched;
  return exact - exact[0] + rest - rest[0] + observed;
}

// What resampled windows say of the plain and of the corrected mean, [n] each.
struct Resampled {
  at::Tensor plain;
  at::Tensor corrected;
};

Resampled Resample(const AlignmentReplicates& replicates,
                   const ByExpert& groups, const at::Tensor& counts,
                   const ObservedAlignment& observed) {
  at::Tensor even = counts.clone();
  even.slice(1, 1, counts.size(1), 2).zero_();
  const auto of = [&](const at::Tensor& counted) -> ByExpert {
    return {.totals = counted.mm(groups.totals),
            .changes = counted.mm(groups.changes)};
  };
  const ByExpert whole = of(counts), a = of(even), b = of(counts - even);
  const at::Tensor first = whole.totals[0];
  const at::Tensor gram = OfAverages(replicates.whole[0], first, first);
  const at::Tensor plain = Around(
      MeanOverPairs(observed.cosine), ExactChange(whole),
      SketchedChange(OfAverages(replicates.even_first + replicates.odd_first,
                                whole.totals, first),
                     gram),
      MeansOverPairs(CosinesOf(replicates.whole)));
  const at::Tensor crossed = OfAverages(replicates.crossed, a.totals, b.totals);
  const at::Tensor halves =
      (SketchedChange(OfAverages(replicates.even_first, a.totals, first),
                      gram) +
       SketchedChange(OfAverages(replicates.odd_first, b.totals, first),
                      gram)) /
      2;
  const at::Tensor corrected = Around(
      MeanOverPairs(observed.corrected), (ExactChange(a) + ExactChange(b)) / 2,
      halves, MeansOverPairs(CosinesOf((crossed + crossed.mT()) / 2)));
  return {.plain = plain, .corrected = corrected};
}

// What routings say of the mean, the model's own first, [1 + draws]. `all` is
// the place of the weighting of all tokens.
at::Tensor Reroute(const JacobianSums& sums, const DrawnRows& drawn, size_t w,
                   size_t all,
                   const std::vector<AlignmentReplicates>& replicates,
                   const ObservedAlignment& of_all) {
  const auto set = static_cast<size_t>(
      std::ranges::find(drawn.weightings, sums.weightings()[w]) -
      drawn.weightings.begin());
  const ByExpert routings = OfRoutings(sums, drawn, w, set, of_all.gradients);
  const at::Tensor totals = OfGroups(sums, all, of_all.gradients).totals.sum(0);
  return ExactChange(routings) +
         MeansOverPairs(CosinesOf(replicates[w].drawn)) -
         SketchedChange(
             OfAverages(replicates[w].drawn_all, routings.totals, totals),
             OfAverages(replicates[all].whole[0], totals, totals));
}

}  // namespace

ProbeResult AlignmentSignificance(
    const JacobianSums& sums, const DrawnRows& drawn,
    const std::vector<ObservedAlignment>& observed, const NullOptions& options,
    int64_t seed) {
  ProbeResult result;
  if (sums.expert_count() < 2) return result;
  // The sample as it is comes first.
  const at::Tensor counts =
      at::cat({at::ones({1, sums.groups()}, at::kDouble),
               BootstrapCounts(sums.groups(), options.bootstrap, seed)});
  const std::vector<AlignmentReplicates> replicates =
      ReplicateAlignments(sums, drawn, counts, seed);
  const auto all = static_cast<size_t>(
      std::ranges::find(sums.weightings(), Weighting::kAll) -
      sums.weightings().begin());
  for (size_t w = 0; w < replicates.size(); ++w) {
    const Resampled means =
        Resample(replicates[w], OfGroups(sums, w, observed[w].gradients),
                 counts, observed[w]);
    const auto mean_of = [](const at::Tensor& cosines,
                            const at::Tensor& draws) -> MeanReplicates {
      const double mean = MeanOverPairs(cosines);
      return {
          .observed = mean, .replicate = mean, .bootstrap = draws.slice(0, 1)};
    };
    MeanReplicates cosine = mean_of(observed[w].cosine, means.plain);
    if (replicates[w].drawn.defined()) {
      const at::Tensor routed =
          Reroute(sums, drawn, w, all, replicates, observed[all]);
      const at::Tensor draws = routed.slice(0, 1) - routed[0] + cosine.observed;
      cosine.random_router = draws.slice(0, 0, drawn.router_count);
      cosine.permutation = draws.slice(0, drawn.router_count);
    }
    const std::string name = NameOf(sums.weightings()[w]);
    const std::string probe = absl::StrCat("nulls/jacobian/", name);
    AddSignificance(absl::StrCat("jacobian_cosine/", name), probe, cosine,
                    options.keep_draws, result);
    AddSignificance(absl::StrCat("jacobian_cosine_corrected/", name), probe,
                    mean_of(observed[w].corrected, means.corrected),
                    options.keep_draws, result);
  }
  return result;
}

}  // namespace moeprobe
