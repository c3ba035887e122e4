#include "core/probe/alignment_significance.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/nanmean.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/triu_indices.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

// The mean over pairs of each of `cosines` [n, E, E], [n].
at::Tensor MeansOverPairs(const at::Tensor& cosines) {
  const int64_t experts = cosines.size(1);
  const at::Tensor pairs = at::triu_indices(experts, experts, /*offset=*/1);
  return at::nanmean(
      cosines.flatten(1).index_select(1, pairs[0] * experts + pairs[1]), 1);
}

// The weight of every expert's groups, [E, groups].
at::Tensor WeightTotals(const JacobianSums& sums, size_t weighting) {
  std::vector<at::Tensor> totals;
  for (int64_t e = 0; e < sums.expert_count(); ++e) {
    totals.push_back(sums.WeightTotals(e, weighting));
  }
  return at::stack(totals);
}

// The cosines that halves make, from inner products of their sums. `weights`
// [E, groups]; `counts` [n, groups].
at::Tensor CorrectedCosines(const at::Tensor& crossed,
                            const at::Tensor& weights,
                            const at::Tensor& counts) {
  const auto total = [&](int64_t first) {  // [n, E]
    return counts.slice(1, first, counts.size(1), 2)
        .mm(weights.slice(1, first, counts.size(1), 2).t());
  };
  const at::Tensor means =
      crossed / total(0).unsqueeze(2) / total(1).unsqueeze(1);
  return CosinesOf((means + means.mT()) / 2);
}

MeanReplicates ReplicatesOf(const at::Tensor& observed,
                            const at::Tensor& means) {
  return {.observed = MeansOverPairs(observed.unsqueeze(0)).item<double>(),
          .replicate = means[0].item<double>(),
          .bootstrap = means.slice(0, 1)};
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
  for (size_t w = 0; w < replicates.size(); ++w) {
    const std::string name = NameOf(sums.weightings()[w]);
    const std::string probe = absl::StrCat("nulls/jacobian/", name);
    MeanReplicates cosine = ReplicatesOf(
        observed[w].cosine, MeansOverPairs(CosinesOf(replicates[w].whole)));
    const at::Tensor draws = MeansOverPairs(CosinesOf(replicates[w].drawn));
    cosine.random_router = draws.slice(0, 0, drawn.router_count);
    cosine.permutation = draws.slice(0, drawn.router_count);
    AddSignificance(absl::StrCat("jacobian_cosine/", name), probe, cosine,
                    options.keep_draws, result);
    AddSignificance(absl::StrCat("jacobian_cosine_corrected/", name), probe,
                    ReplicatesOf(observed[w].corrected,
                                 MeansOverPairs(CorrectedCosines(
                                     replicates[w].crossed,
                                     WeightTotals(sums, w), counts))),
                    options.keep_draws, result);
  }
  return result;
}

}  // namespace moeprobe
