#include "core/probe/projected_alignment.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>

#include "core/checkpoint/model_config.h"
#include "core/probe/probe_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr const char* kRouted = "jacobian_cosine_projected/routed";

class ProjectedAlignmentOfKindTest : public testing::TestWithParam<ExpertKind> {
};

INSTANTIATE_TEST_SUITE_P(Kinds, ProjectedAlignmentOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(ProjectedAlignmentOfKindTest, BeginsWithTheSumOfOutputs) {
  at::manual_seed(23);
  ProbeFixture layer({.kind = GetParam()});
  const ProbeResult result = layer.Probe({.projections = 2});
  const at::Tensor cosines = ArrayOf(result, kRouted);
  ASSERT_EQ(cosines.sizes().vec(), (std::vector<int64_t>{2, 3, 3}));
  const at::Tensor a = layer.Average(0, layer.RoutedTo(0)).sum(0);
  const at::Tensor b = layer.Average(1, layer.RoutedTo(1)).sum(0);
  // 1e-5: float32 products.
  EXPECT_NEAR(cosines[0][0][1].item<double>(), CosineOf(a, b), 1e-5);
  EXPECT_NE(cosines[1][0][1].item<double>(), cosines[0][0][1].item<double>());
  EXPECT_EQ(cosines[1][2][2].item<double>(), 1);
}

TEST(ProjectedAlignmentTest, IsOneBetweenIdenticalExperts) {
  at::manual_seed(24);
  ProbeFixture layer;
  layer.experts[1] = layer.experts[0];
  const at::Tensor cosines =
      ArrayOf(layer.Probe({.projections = 3}), "jacobian_cosine_projected/all");
  for (int64_t v = 0; v < 3; ++v) {
    EXPECT_NEAR(cosines[v][0][1].item<double>(), 1, 1e-6);
  }
}

TEST(ProjectedAlignmentTest, IsNanForAnExpertWithoutTokens) {
  at::manual_seed(25);
  ProbeFixture layer;
  layer.counted.copy_(layer.routing.chosen.ne(0).all(1));
  const at::Tensor cosines = ArrayOf(layer.Probe({.projections = 1}), kRouted);
  EXPECT_TRUE(std::isnan(cosines[0][0][0].item<double>()));
  EXPECT_FALSE(std::isnan(cosines[0][1][2].item<double>()));
}

TEST(ProjectedAlignmentTest, IsLeftOutUnlessAskedFor) {
  ProbeFixture layer;
  EXPECT_FALSE(ArrayOf(layer.Probe(), kRouted).defined());
}

}  // namespace
}  // namespace moeprobe
