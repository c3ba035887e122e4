#include "core/probe/matched_reference.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/geometry/principal_components.h"
#include "core/geometry/spectrum.h"
#include "core/model/router.h"
#include "core/probe/probe_result.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/routed_rows.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 3000;
constexpr int64_t kWidth = 64;
constexpr int64_t kComponents = 3;

class MatchedReferenceTest : public testing::Test {
 protected:
  MatchedReferenceTest() {
    at::manual_seed(6);
    h_ = at::randn({kTokens, kWidth}) *
             (at::arange(kWidth, at::kFloat) * -0.05).exp() +
         3;
    counted_ = at::ones({kTokens}, at::kBool);
    // Loads from a few tens to most.
    routing_ = RouteLogits(at::randn({kTokens, 4}) + at::arange(4) * 0.9,
                           {.per_token = 1});
  }

  ProbeResult Run(int64_t dimensions) const {
    return MatchedReference(h_, ProjectTokens(h_, counted_, dimensions),
                            routing_, counted_, kComponents, 0);
  }

  static std::vector<double> Numbers(const ProbeResult& result, size_t array) {
    const std::string& bytes = result.arrays.at(array).array.bytes;
    std::vector<double> numbers(bytes.size() / sizeof(double));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

  // Mean effective rank and components for 95 % of samples of `size`, exactly.
  std::pair<double, double> Naive(int64_t size) const {
    double rank = 0, components = 0;
    constexpr int kDraws = 40;
    for (int i = 0; i < kDraws; ++i) {
      const at::Tensor values =
          FindPrincipalComponents(
              ReferenceRows(
                  h_.index_select(0, at::randperm(kTokens).slice(0, 0, size))),
              kComponents)
              .eigenvalues;
      const std::span<const double> all(values.const_data_ptr<double>(),
                                        static_cast<size_t>(kWidth));
      rank += EffectiveRank(all) / kDraws;
      components += static_cast<double>(ComponentCounts(all)[3]) / kDraws;
    }
    return {rank, components};
  }

  at::Tensor h_, counted_;
  Routing routing_;
};

TEST_F(MatchedReferenceTest, IsThatOfSamplesAsLarge) {
  const std::vector<ExpertTokens> groups = GroupByExpert(routing_);
  for (const int64_t dimensions : {kWidth, int64_t{24}}) {
    const ProbeResult result = Run(dimensions);
    const std::vector<double> rank = Numbers(result, 0);
    const std::vector<double> deviation = Numbers(result, 1);
    const std::vector<double> components = Numbers(result, 4);
    for (size_t e = 0; e < 4; ++e) {
      const auto [exact, count] = Naive(groups[e].tokens.size(0));
      // Two means of samples, and what the rest's shape leaves.
      const double allowed = 5 * deviation[e] / std::sqrt(20) +
                             (dimensions < kWidth ? 0.02 * exact : 0);
      EXPECT_NEAR(rank[e], exact, allowed) << dimensions << " " << e;
      EXPECT_NEAR(components[e * 4 + 3], count, 1.5) << dimensions << " " << e;
    }
  }
}

TEST_F(MatchedReferenceTest, GrowsWithTheSample) {
  const std::vector<double> rank = Numbers(Run(kWidth), 0);
  for (size_t e = 1; e < 4; ++e) EXPECT_GT(rank[e], rank[e - 1]);
}

TEST_F(MatchedReferenceTest, IsNaNForExpertsWithoutTokens) {
  routing_.chosen.masked_fill_(routing_.chosen.eq(0), 1);
  const std::vector<double> rank = Numbers(Run(kWidth), 0);
  EXPECT_TRUE(std::isnan(rank[0]));
  EXPECT_TRUE(std::isfinite(rank[1]));
}

TEST_F(MatchedReferenceTest, IsNothingForOneExpert) {
  routing_ = DenseRouting(kTokens);
  EXPECT_TRUE(Run(kWidth).arrays.empty());
}

}  // namespace
}  // namespace moeprobe
