#include "core/probe/pca_significance.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/resampled_layer_fixture.h"
#include "core/probe/routed_pca.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

double MeanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

class PcaSignificanceTest : public testing::Test {
 protected:
  PcaSignificanceTest() { at::manual_seed(21); }
};

TEST_F(PcaSignificanceTest, JudgesEveryPrintedMean) {
  LayerFixture layer;
  layer.options.conventions = {Convention::kRouted, Convention::kAllTokens,
                               Convention::kSampleWeighted};
  Arrays arrays = layer.Run();
  for (const std::string convention :
       {"routed", "all_tokens", "sample_weighted"}) {
    for (const std::string& quantity :
         {"grassmann/" + convention, "pca/" + convention + "/effective_rank",
          "pca/" + convention + "/participation_ratio"}) {
      const std::vector<double>& interval = arrays[quantity + "/interval"];
      ASSERT_EQ(interval.size(), 2) << quantity;
      EXPECT_LT(interval[0], interval[1]) << quantity;
      EXPECT_GT(arrays[quantity + "/se"].at(0), 0) << quantity;
      EXPECT_GT(arrays[quantity + "/null_std"].at(0), 0) << quantity;
      EXPECT_GE(arrays[quantity + "/p"].at(0), 0.05) << quantity;
      EXPECT_LE(arrays[quantity + "/permutation_p"].at(0), 1) << quantity;
    }
    const double mean = MeanOf(arrays["pca/" + convention + "/effective_rank"]);
    const std::vector<double>& interval =
        arrays["pca/" + convention + "/effective_rank/interval"];
    EXPECT_LT(interval[0], mean);
    EXPECT_GT(interval[1], mean);
  }
  EXPECT_EQ(arrays["pca/all/effective_rank/interval"].size(), 2);
  EXPECT_EQ(arrays["grassmann/random_subspaces"].size(), 2);
}

TEST_F(PcaSignificanceTest, SeesRoutingByContent) {
  LayerFixture by_content;
  EXPECT_EQ(by_content.Run()["grassmann/routed/permutation_p"].at(0), 0.05);
  LayerFixture by_chance{.content = 0};
  EXPECT_GT(by_chance.Run()["grassmann/routed/permutation_p"].at(0), 0.05);
}

TEST_F(PcaSignificanceTest, SplitsWindowsIntoHalves) {
  LayerFixture layer;
  Arrays arrays = layer.Run();
  const std::vector<double> within =
      arrays["grassmann/routed/split_half_within"];
  const std::vector<double> between =
      arrays["grassmann/routed/split_half_between"];
  ASSERT_EQ(within.size(), 4);
  ASSERT_EQ(between.size(), 16);
  EXPECT_EQ(within[2], between[2 * 4 + 2]);
  EXPECT_LT(MeanOf(within), MeanOf(between));
}

TEST_F(PcaSignificanceTest, IsTheSameForTheSameSeed) {
  LayerFixture layer;
  layer.Run();
  const at::Tensor h = layer.h;
  const auto run = [&](int64_t seed) {
    at::manual_seed(3);
    LayerFixture again{.seed = seed, .h = h};
    return again.Run();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1)["grassmann/routed/se"], run(2)["grassmann/routed/se"]);
}

TEST_F(PcaSignificanceTest, LeavesExpertsWithoutTokensOut) {
  LayerFixture layer;
  layer.experts.count = 6;
  layer.h = at::randn({640, 12}).abs();
  // One expert that no token prefers is likely among so many.
  Arrays arrays = layer.Run();
  EXPECT_TRUE(std::isfinite(arrays["grassmann/routed/null_mean"].at(0)));
}

TEST_F(PcaSignificanceTest, IsNaNWhereEveryTokenGoesToEveryExpert) {
  LayerFixture layer;
  layer.experts.per_token = 4;
  Arrays arrays = layer.Run();
  EXPECT_TRUE(std::isnan(arrays["grassmann/routed/null_mean"].at(0)));
  EXPECT_TRUE(std::isnan(arrays["grassmann/routed/p"].at(0)));
  EXPECT_TRUE(std::isfinite(arrays["grassmann/routed/se"].at(0)));
}

TEST_F(PcaSignificanceTest, OfOneExpertHasIntervalsAlone) {
  LayerFixture layer;
  layer.experts = {.count = 1, .per_token = 1};
  Arrays arrays = layer.Run();
  EXPECT_FALSE(arrays.contains("grassmann/routed/se"));
  EXPECT_FALSE(arrays.contains("pca/routed/effective_rank/p"));
  EXPECT_GT(arrays["pca/routed/effective_rank/se"].at(0), 0);
}

TEST_F(PcaSignificanceTest, OfEqualHiddenStatesIsNaN) {
  LayerFixture layer;
  layer.h = at::ones({640, 12});
  Arrays arrays = layer.Run();
  EXPECT_TRUE(std::isnan(arrays["pca/all/effective_rank/se"].at(0)));
}

TEST_F(PcaSignificanceTest, OfOneWindowHasNoWidth) {
  LayerFixture layer;
  layer.window = 640;
  Arrays arrays = layer.Run();
  EXPECT_NEAR(arrays["pca/routed/effective_rank/se"].at(0), 0, 1e-9);
  EXPECT_TRUE(std::isnan(arrays["grassmann/routed/split_half_within"].at(0)));
}

}  // namespace
}  // namespace moeprobe
