#include "core/probe/pca_significance.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/geometry/pair_means.h"
#include "core/geometry/subspace_means.h"
#include "core/model/router.h"
#include "core/probe/pca_replicates.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/replicate_pca.h"
#include "core/probe/routed_pca.h"
#include "core/probe/significance_arrays.h"
#include "core/significance/bootstrap_counts.h"
#include "core/significance/draw_stream.h"
#include "core/significance/routing_draws.h"
#include "core/tensor/concurrent_loop.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Pairs of random subspaces: their mean is then known to about 0.1 %.
constexpr int64_t kRandomSubspaces = 200;

// Directions m that replicates live in: more where there are few experts, whose
// eigenproblems are the price.
int64_t Dimensions(int64_t width, int64_t expert_count, int64_t components) {
  const int64_t dimensions = expert_count <= 16 ? 256 : 160;
  return std::min(width, std::max(dimensions, 4 * components));
}

// How often each window group is taken, [3 + B, G]: as observed, in either
// half, and in each bootstrap sample.
enum Resampling : std::int8_t { kObserved, kEvenHalf, kOddHalf, kBootstrap };

at::Tensor WindowCounts(int64_t groups, int64_t draws, int64_t seed) {
  const at::Tensor odd =
      at::arange(groups, at::kLong).remainder(2).to(at::kDouble).unsqueeze(0);
  return at::cat({at::ones({1, groups}, at::kDouble), 1 - odd, odd,
                  BootstrapCounts(groups, draws, seed)});
}

// PCAs of all experts in replicate r: shares [E, m], rest [E], basis [E, m, n].
ReplicatePca At(const std::vector<ReplicatePca>& experts, int64_t r) {
  std::vector<at::Tensor> shares, rest, basis;
  for (const ReplicatePca& expert : experts) {
    shares.push_back(expert.shares[r]);
    rest.push_back(expert.rest[r]);
    basis.push_back(expert.basis[r]);
  }
  return {.shares = at::stack(shares),
          .rest = at::stack(rest),
          .basis = at::stack(basis)};
}

// The bases that are there.
at::Tensor KnownBases(const ReplicatePca& pca, const RestShape& shape) {
  const at::Tensor known =
      (pca.rest + shape.entropy).isfinite().nonzero().flatten();
  return pca.basis.index_select(0, known);
}

// Means over experts or pairs, as they are printed.
struct Means {
  double effective_rank{};
  double participation_ratio{};
  double distance{};
};

Means MeansOf(const ReplicatePca& pca, const RestShape& shape) {
  return {.effective_rank = EffectiveRanks(pca, shape).nanmean().item<double>(),
          .participation_ratio =
              ParticipationRatios(pca, shape).nanmean().item<double>(),
          .distance = MeanPairDistance(KnownBases(pca, shape))};
}

at::Tensor Values(const std::vector<Means>& draws, double Means::* quantity) {
  std::vector<double> values;
  values.reserve(draws.size());
  for (const Means& draw : draws) values.push_back(draw.*quantity);
  return at::tensor(values, at::kDouble);
}

// Everything that is drawn for one convention.
struct Draws {
  std::vector<Means> bootstrap, random_router, permutation;
};

// Replicates of one convention.
class ConventionSignificance {
 public:
  ConventionSignificance(const ResampledLayer& layer, Convention convention,
                         const PcaOptions& options, const NullOptions& nulls,
                         int64_t seed)
      : layer_(layer),
        nulls_(nulls),
        name_(NameOf(convention)),
        replicates_(layer.tokens, layer.counted, layer.windows, convention,
                    options.components),
        counts_(WindowCounts(layer.windows.count, nulls.bootstrap, seed)) {}

  void Publish(const ExactPca& exact, ProbeResult& result) const {
    const std::vector<ReplicatePca> experts = ResampleWindows();
    const ReplicatePca observed = At(experts, kObserved);
    const RestShape shape =
        FitRestShape(observed, exact.effective_rank, exact.participation_ratio);
    Draws draws;
    draws.bootstrap = BootstrapMeans(experts, shape);
    draws.random_router =
        MeansUnder(layer_.nulls.random_router, nulls_.random_router, shape);
    draws.permutation =
        MeansUnder(layer_.nulls.permutations, nulls_.permutations, shape);
    const Means replicate = MeansOf(observed, shape);
    if (experts.size() > 1) {
      Add("grassmann/" + name_, MeanOverPairs(exact.distance), replicate, draws,
          &Means::distance, result);
    }
    Add("pca/" + name_ + "/effective_rank",
        exact.effective_rank.nanmean().item<double>(), replicate, draws,
        &Means::effective_rank, result);
    Add("pca/" + name_ + "/participation_ratio",
        exact.participation_ratio.nanmean().item<double>(), replicate, draws,
        &Means::participation_ratio, result);
    AddHalves(At(experts, kEvenHalf), At(experts, kOddHalf), shape, result);
  }

 private:
  std::string Probe() const { return "nulls/pca/" + name_; }

  // By expert: its replicates, as in counts_.
  std::vector<ReplicatePca> ResampleWindows() const {
    const std::vector<ExpertTokens> groups = GroupByExpert(layer_.routing);
    std::vector<ReplicatePca> experts(groups.size());
    ConcurrentLoop(static_cast<int64_t>(groups.size()),
                   replicates_.BytesOfWindows(), [&](int64_t e) {
                     const auto index = static_cast<size_t>(e);
                     experts[index] = replicates_.OfWindows(
                         Counted(groups[index], layer_.counted), counts_);
                   });
    return experts;
  }

  std::vector<Means> BootstrapMeans(const std::vector<ReplicatePca>& experts,
                                    const RestShape& shape) const {
    std::vector<Means> means(static_cast<size_t>(nulls_.bootstrap));
    ConcurrentLoop(nulls_.bootstrap, 1, [&](int64_t draw) {
      means[static_cast<size_t>(draw)] =
          MeansOf(At(experts, kBootstrap + draw), shape);
    });
    return means;
  }

  // Where `wanted` draws cannot be had, they are NaN.
  std::vector<Means> MeansUnder(const RoutingDraws& draws, int64_t wanted,
                                const RestShape& shape) const {
    std::vector<Means> means(static_cast<size_t>(wanted), {kNaN, kNaN, kNaN});
    const int64_t expert_count = layer_.routing.logits.size(1);
    ConcurrentLoop(std::min(wanted, draws.count()),
                   replicates_.BytesOfRouting(expert_count), [&](int64_t draw) {
                     std::vector<ExpertTokens> experts = GroupByExpert(
                         {.logits = layer_.routing.logits,
                          .probabilities = layer_.routing.probabilities,
                          .chosen = draws.chosen[draw],
                          .gates = draws.gates[draw]});
                     for (ExpertTokens& expert : experts) {
                       expert = Counted(expert, layer_.counted);
                     }
                     means[static_cast<size_t>(draw)] =
                         MeansOf(replicates_.OfRouting(experts), shape);
                   });
    return means;
  }

  void Add(const std::string& quantity, double observed, const Means& replicate,
           const Draws& draws, double Means::* mean,
           ProbeResult& result) const {
    AddSignificance(quantity, Probe(),
                    {.observed = observed,
                     .replicate = replicate.*mean,
                     .bootstrap = Values(draws.bootstrap, mean),
                     .random_router = Values(draws.random_router, mean),
                     .permutation = Values(draws.permutation, mean)},
                    nulls_.keep_draws, result);
  }

  void AddHalves(const ReplicatePca& even, const ReplicatePca& odd,
                 const RestShape& shape, ProbeResult& result) const {
    const int64_t count = even.rest.size(0);
    at::Tensor between = at::full({count, count}, kNaN, at::kDouble);
    const at::Tensor i =
        (even.rest + shape.entropy).isfinite().nonzero().flatten();
    const at::Tensor j =
        (odd.rest + shape.entropy).isfinite().nonzero().flatten();
    if (i.numel() > 0 && j.numel() > 0) {
      between.index_put_(
          {i.unsqueeze(1), j.unsqueeze(0)},
          CrossDistances(KnownBases(even, shape), KnownBases(odd, shape)));
    }
    const std::string prefix = "grassmann/" + name_ + "/split_half_";
    result.arrays.push_back({.name = prefix + "within",
                             .probe = Probe(),
                             .array = ToArray(between.diagonal().clone())});
    result.arrays.push_back({.name = prefix + "between",
                             .probe = Probe(),
                             .array = ToArray(between)});
  }

  const ResampledLayer& layer_;
  const NullOptions& nulls_;
  std::string name_;
  PcaReplicates replicates_;
  at::Tensor counts_;  // [3 + B, G] float64
};

// All tokens that count as one expert's, with gate 1.
ExpertTokens AllTokens(const at::Tensor& counted) {
  const at::Tensor tokens = counted.nonzero().flatten();
  return {.tokens = tokens, .gates = at::ones({tokens.size(0)}, at::kFloat)};
}

void AddReference(const ResampledLayer& layer, const ExactPca& exact,
                  const PcaOptions& options, const NullOptions& nulls,
                  int64_t seed, ProbeResult& result) {
  const PcaReplicates replicates(layer.tokens, layer.counted, layer.windows,
                                 Convention::kRouted, options.components);
  const ReplicatePca pca = replicates.OfWindows(
      AllTokens(layer.counted),
      WindowCounts(layer.windows.count, nulls.bootstrap, seed));
  const RestShape shape = FitRestShape(
      At({pca}, kObserved), exact.effective_rank, exact.participation_ratio);
  const at::Tensor ranks = EffectiveRanks(pca, shape);  // [3 + B]
  AddSignificance("pca/all/effective_rank", "nulls/pca/reference",
                  {.observed = exact.effective_rank.item<double>(),
                   .replicate = ranks[kObserved].item<double>(),
                   .bootstrap = ranks.slice(0, kBootstrap)},
                  nulls.keep_draws, result);
}

}  // namespace

ProjectedTokens ProjectForReplicates(const at::Tensor& h,
                                     const at::Tensor& counted,
                                     int64_t expert_count, int64_t components) {
  return ProjectTokens(h, counted,
                       Dimensions(h.size(1), expert_count, components));
}

ProbeResult PcaSignificance(const ResampledLayer& layer,
                            const PcaFindings& exact, const PcaOptions& options,
                            const NullOptions& nulls, int64_t seed) {
  NullOptions asked = nulls;
  // A single expert is not routed to: there is no other way.
  if (layer.routing.logits.size(1) == 1) {
    asked.random_router = asked.permutations = 0;
  }
  ProbeResult result;
  for (size_t c = 0; c < options.conventions.size(); ++c) {
    const ConventionSignificance convention(layer, options.conventions[c],
                                            options, asked, seed);
    convention.Publish(exact.conventions[c], result);
  }
  AddReference(layer, exact.reference, options, asked, seed, result);
  result.arrays.push_back(
      {.name = "grassmann/random_subspaces",
       .probe = "nulls/pca/reference",
       .array = ToArray(RandomSubspaceDistance(
           layer.width, options.components, kRandomSubspaces,
           DrawStream(seed, DrawKind::kSubspace, 0).Next()))});
  return result;
}

}  // namespace moeprobe
