#include "core/probe/matched_reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/random_stream.h"
#include "core/geometry/principal_components.h"
#include "core/geometry/spectrum.h"
#include "core/model/router.h"
#include "core/probe/probe_result.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/replicate_pca.h"
#include "core/probe/routed_rows.h"
#include "core/significance/draw_stream.h"
#include "core/tensor/concurrent_loop.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Sizes of the exact samples are no further apart than this factor: what is
// taken from them changes slowly with the logarithm of the size.
constexpr double kLargestStep = 2.5;

// All of `tokens` in random order; a sample is the first ones.
std::vector<int64_t> RandomOrder(const at::Tensor& tokens,
                                 RandomStream random) {
  const auto* token = tokens.const_data_ptr<int64_t>();
  std::vector<int64_t> order(token, token + tokens.numel());
  for (size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random.Below(left)]);
  }
  return order;
}

at::Tensor First(const std::vector<int64_t>& order, int64_t count) {
  at::Tensor sample = at::tensor(order, at::kLong).slice(0, 0, count);
  return std::get<0>(sample.sort());
}

// PCA of a sample in the coordinates of `tokens`; r = 1.
ReplicatePca Approximate(const ProjectedTokens& tokens,
                         const at::Tensor& sample, int64_t components) {
  const at::Tensor one = at::ones({sample.size(0)}, at::kFloat);
  const Moments moments = MomentsOf(tokens, sample, one, one);
  return FindReplicatePca(moments, tokens.mean, moments.rows, components);
}

// Components for 50, 80, 90 and 95 %, [4] float64, where the shares beyond m
// dimensions are distributed as `rest`.
at::Tensor Components(const ReplicatePca& pca,
                      const std::vector<double>& rest) {
  const at::Tensor head = pca.shares[0].contiguous();
  const auto* share = head.const_data_ptr<double>();
  std::vector<double> all(share, share + head.numel());
  const double sum = std::accumulate(rest.begin(), rest.end(), 0.0);
  for (const double value : rest) {
    all.push_back(sum > 0 ? value / sum * pca.rest[0].item<double>() : 0);
  }
  const std::array<int64_t, 4> counts = ComponentCounts(all);
  return at::tensor(std::vector<double>(counts.begin(), counts.end()),
                    at::kDouble);
}

// A sample whose PCA is exact, for what its replicate does not know.
struct ExactSample {
  int64_t size = 0;
  RestShape shape;                // r = 1
  std::vector<double> rest = {};  // eigenvalues beyond m
  at::Tensor missing = {};  // [4] float64: components the replicate falls short
};

ExactSample TakeExactSample(const at::Tensor& h, const ProjectedTokens& tokens,
                            const at::Tensor& sample, int64_t components) {
  const at::Tensor values =
      FindPrincipalComponents(ReferenceRows(h.index_select(0, sample)),
                              components)
          .eigenvalues;
  const std::span<const double> all(values.const_data_ptr<double>(),
                                    static_cast<size_t>(values.numel()));
  const std::span<const double> rest =
      all.subspan(static_cast<size_t>(tokens.mean.size(0)));
  const ReplicatePca replicate = Approximate(tokens, sample, components);
  ExactSample result{
      .size = sample.size(0),
      .shape = FitRestShape(
          replicate, at::full({1}, EffectiveRank(all), at::kDouble),
          at::full({1}, ParticipationRatio(all), at::kDouble)),
      .rest = {rest.begin(), rest.end()}};
  const std::array<int64_t, 4> counts = ComponentCounts(all);
  result.missing =
      at::tensor(at::ArrayRef<int64_t>(counts), at::kLong).to(at::kDouble) -
      Components(replicate, result.rest);
  return result;
}

// Sizes between the smallest and the largest, evenly in their logarithm.
std::vector<int64_t> SizesBetween(int64_t smallest, int64_t largest) {
  const double span =
      std::log(static_cast<double>(largest) / static_cast<double>(smallest));
  const auto steps =
      static_cast<int64_t>(std::ceil(span / std::log(kLargestStep)));
  std::vector<int64_t> sizes = {smallest};
  for (int64_t i = 1; i <= steps; ++i) {
    sizes.push_back(std::llround(
        static_cast<double>(smallest) *
        std::exp(span * static_cast<double>(i) / static_cast<double>(steps))));
  }
  return sizes;
}

// What is between two exact samples: `weight` of the second.
struct Between {
  const ExactSample& low;
  const ExactSample& high;
  double weight;

  RestShape Shape() const {
    return {.entropy = low.shape.entropy.lerp(high.shape.entropy, weight),
            .squares = low.shape.squares.lerp(high.shape.squares, weight)};
  }
  at::Tensor ComponentsOf(const ReplicatePca& pca) const {
    return (Components(pca, low.rest) + low.missing)
        .lerp(Components(pca, high.rest) + high.missing, weight);
  }
};

Between Around(const std::vector<ExactSample>& samples, int64_t size) {
  size_t i = 0;
  while (i + 2 < samples.size() && samples[i + 1].size < size) ++i;
  const ExactSample& low = samples[i];
  const ExactSample& high = samples[std::min(i + 1, samples.size() - 1)];
  if (low.size == high.size) return {.low = low, .high = high, .weight = 0};
  const auto log = [](int64_t n) { return std::log(static_cast<double>(n)); };
  return {
      .low = low,
      .high = high,
      .weight = (log(size) - log(low.size)) / (log(high.size) - log(low.size))};
}

// Effective rank, participation ratio and the four numbers of components of one
// sample, [6] float64.
at::Tensor Describe(const ReplicatePca& pca, const Between& exact) {
  const RestShape shape = exact.Shape();
  return at::cat({EffectiveRanks(pca, shape), ParticipationRatios(pca, shape),
                  exact.ComponentsOf(pca)});
}

// [draws, E, 6]: NaN where an expert has too few tokens.
at::Tensor DescribeSamples(const at::Tensor& h, const ProjectedTokens& tokens,
                           const std::vector<int64_t>& sizes,
                           const at::Tensor& counted_tokens, int64_t components,
                           int64_t seed) {
  const auto expert_count = static_cast<int64_t>(sizes.size());
  at::Tensor found =
      at::full({kMatchedDraws, expert_count, 6}, kNaN, at::kDouble);
  std::vector<int64_t> large = sizes;
  std::erase_if(large, [&](int64_t size) { return size <= components; });
  if (large.empty()) return found;
  const auto order_of = [&](int64_t draw) {
    return RandomOrder(counted_tokens,
                       DrawStream(seed, DrawKind::kMatchedSample, draw));
  };
  std::vector<ExactSample> exact;
  const std::vector<int64_t> order = order_of(kMatchedDraws);
  for (const int64_t size :
       SizesBetween(std::ranges::min(large), std::ranges::max(large))) {
    exact.push_back(TakeExactSample(h, tokens, First(order, size), components));
  }
  const int64_t bytes = counted_tokens.size(0) * tokens.coordinates.size(1) *
                        int64_t{2 * sizeof(float)};
  ConcurrentLoop(kMatchedDraws, bytes, [&](int64_t draw) {
    const std::vector<int64_t> drawn = order_of(draw);
    for (int64_t e = 0; e < expert_count; ++e) {
      const int64_t size = sizes[static_cast<size_t>(e)];
      if (size <= components) continue;
      found[draw][e].copy_(
          Describe(Approximate(tokens, First(drawn, size), components),
                   Around(exact, size)));
    }
  });
  return found;
}

std::vector<int64_t> Loads(const Routing& routing, const at::Tensor& counted) {
  std::vector<int64_t> loads;
  for (const ExpertTokens& routed : GroupByExpert(routing)) {
    loads.push_back(Counted(routed, counted).tokens.size(0));
  }
  return loads;
}

}  // namespace

ProbeResult MatchedReference(const at::Tensor& h, const ProjectedTokens& tokens,
                             const Routing& routing, const at::Tensor& counted,
                             int64_t components, int64_t seed) {
  ProbeResult result;
  if (routing.logits.size(1) == 1) return result;
  const at::Tensor found =
      DescribeSamples(h, tokens, Loads(routing, counted),
                      counted.nonzero().flatten(), components, seed);
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    result.arrays.push_back({.name = "pca/matched/" + name,
                             .probe = "pca/reference",
                             .array = ToArray(value.contiguous())});
  };
  const at::Tensor mean = found.mean(0);
  const at::Tensor deviation = found.std(0);
  add("effective_rank", mean.select(1, 0));
  add("effective_rank_std", deviation.select(1, 0));
  add("participation_ratio", mean.select(1, 1));
  add("participation_ratio_std", deviation.select(1, 1));
  add("components", mean.slice(1, 2));
  return result;
}

}  // namespace moeprobe
