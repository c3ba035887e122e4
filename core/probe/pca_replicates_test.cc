#include "core/probe/pca_replicates.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/geometry/principal_components.h"
#include "core/geometry/spectrum.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/replicate_pca.h"
#include "core/probe/routed_rows.h"
#include "core/significance/window_groups.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 600;
constexpr int64_t kWidth = 20;
constexpr int64_t kExperts = 4;
constexpr int64_t kComponents = 3;

class PcaReplicatesTest : public testing::TestWithParam<Convention> {
 protected:
  PcaReplicatesTest() {
    at::manual_seed(9);
    // A mean that dwarfs the variance, which falls from one dimension to the
    // next.
    h_ = at::randn({kTokens, kWidth}) *
             (at::arange(kWidth, at::kFloat) * -0.2).exp() +
         at::randn({kWidth}) * 20;
    routing_ = Route(h_ - h_.mean(0), at::randn({kExperts, kWidth}) * 0.3,
                     {.per_token = 2, .renormalize = true});
    counted_ = at::ones({kTokens}, at::kBool);
    counted_.view({-1, 20}).slice(1, 0, 2).fill_(false);
    windows_ = GroupWindows(kTokens, 20);
    for (const ExpertTokens& routed : GroupByExpert(routing_)) {
      experts_.push_back(Counted(routed, counted_));
    }
  }

  PcaReplicates Replicates(const ProjectedTokens& tokens) const {
    return {tokens, counted_, windows_, GetParam(), kComponents};
  }

  // The PCA of an expert whose tokens, and all tokens, are taken as often as
  // their window is: every row written out.
  PrincipalComponents Naive(const ExpertTokens& expert,
                            const at::Tensor& counts) const {
    std::vector<at::Tensor> tokens, gates;
    for (int64_t i = 0; i < expert.tokens.size(0); ++i) {
      const int64_t times = Times(expert.tokens[i].item<int64_t>(), counts);
      tokens.push_back(expert.tokens[i].expand({times}));
      gates.push_back(expert.gates[i].expand({times}));
    }
    int64_t token_count = 0;
    for (int64_t t = 0; t < kTokens; ++t) {
      if (counted_[t].item<bool>()) token_count += Times(t, counts);
    }
    return FindPrincipalComponents(
        RoutedRows(h_, {.tokens = at::cat(tokens), .gates = at::cat(gates)},
                   token_count, GetParam()),
        kComponents);
  }

  int64_t Times(int64_t token, const at::Tensor& counts) const {
    return counts[windows_.of_token[token].item<int64_t>()]
        .to(at::kLong)
        .item<int64_t>();
  }

  // Replicate r against an exact PCA.
  static void ExpectSame(const ReplicatePca& pca, int64_t r,
                         const PrincipalComponents& exact) {
    const at::Tensor shares = exact.eigenvalues / exact.eigenvalues.sum();
    // 1e-5: products of rows are float32.
    EXPECT_LT((pca.shares[r] - shares).abs().max().item<double>(), 1e-5);
    EXPECT_EQ(pca.rest[r].item<double>(), 0);
    const at::Tensor outside =
        exact.basis - pca.basis[r].mm(pca.basis[r].t().mm(exact.basis));
    EXPECT_LT(outside.norm().item<double>(), 1e-4);
  }

  at::Tensor h_, counted_;
  Routing routing_;
  WindowGroups windows_;
  std::vector<ExpertTokens> experts_;
};

TEST_P(PcaReplicatesTest, AreExactWhereAllDimensionsAreKept) {
  const ProjectedTokens tokens = ProjectTokens(h_, counted_, kWidth);
  const ReplicatePca pca = Replicates(tokens).OfRouting(experts_);
  for (size_t e = 0; e < experts_.size(); ++e) {
    ExpectSame(pca, static_cast<int64_t>(e),
               Naive(experts_[e], at::ones({windows_.count}, at::kDouble)));
  }
}

TEST_P(PcaReplicatesTest, TakeWindowsAsOftenAsCounted) {
  const ProjectedTokens tokens = ProjectTokens(h_, counted_, kWidth);
  const at::Tensor counts =
      at::stack({at::arange(windows_.count, at::kLong).remainder(3),
                 at::ones({windows_.count}, at::kLong)})
          .to(at::kDouble);
  const ReplicatePca pca = Replicates(tokens).OfWindows(experts_[1], counts);
  for (int64_t r = 0; r < 2; ++r) {
    ExpectSame(pca, r, Naive(experts_[1], counts[r]));
  }
}

TEST_P(PcaReplicatesTest, OfFewerDimensionsKeepTheSharesOfTheRest) {
  const ProjectedTokens tokens = ProjectTokens(h_, counted_, 10);
  const ReplicatePca pca = Replicates(tokens).OfRouting(experts_);
  const at::Tensor exact =
      Naive(experts_[0], at::ones({windows_.count}, at::kDouble)).eigenvalues;
  const at::Tensor shares = exact / exact.sum();
  EXPECT_NEAR(pca.rest[0].item<double>(),
              shares.slice(0, 10).sum().item<double>(), 0.01);
  EXPECT_LT((pca.shares[0] - shares.slice(0, 0, 10)).abs().max().item<double>(),
            0.01);
}

TEST_P(PcaReplicatesTest, OfTheObservedHaveTheExactRanks) {
  const ProjectedTokens tokens = ProjectTokens(h_, counted_, 8);
  const ReplicatePca pca = Replicates(tokens).OfRouting(experts_);
  const at::Tensor exact =
      Naive(experts_[0], at::ones({windows_.count}, at::kDouble)).eigenvalues;
  const std::span<const double> values(exact.const_data_ptr<double>(), kWidth);
  const at::Tensor rank =
      at::full({kExperts}, EffectiveRank(values), at::kDouble);
  const at::Tensor ratio =
      at::full({kExperts}, ParticipationRatio(values), at::kDouble);
  const RestShape shape = FitRestShape(pca, rank, ratio);
  EXPECT_NEAR(EffectiveRanks(pca, shape)[0].item<double>(),
              rank[0].item<double>(), 1e-9);
  EXPECT_NEAR(ParticipationRatios(pca, shape)[0].item<double>(),
              ratio[0].item<double>(), 1e-9);
}

TEST_P(PcaReplicatesTest, AreNaNWhereRowsOrVarianceLack) {
  const ProjectedTokens tokens = ProjectTokens(h_, counted_, kWidth);
  std::vector<ExpertTokens> experts = experts_;
  experts[0] = {.tokens = experts[0].tokens.slice(0, 0, kComponents),
                .gates = experts[0].gates.slice(0, 0, kComponents)};
  experts[1] = {.tokens = experts[1].tokens.slice(0, 0, 0),
                .gates = experts[1].gates.slice(0, 0, 0)};
  const ReplicatePca pca = Replicates(tokens).OfRouting(experts);
  EXPECT_TRUE(pca.shares.slice(0, 0, 2).isnan().all().item<bool>());
  EXPECT_TRUE(pca.basis.slice(0, 0, 2).isnan().all().item<bool>());
  EXPECT_TRUE(pca.shares.slice(0, 2).isfinite().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Conventions, PcaReplicatesTest,
                         testing::Values(Convention::kRouted,
                                         Convention::kAllTokens,
                                         Convention::kSampleWeighted));

}  // namespace
}  // namespace moeprobe
