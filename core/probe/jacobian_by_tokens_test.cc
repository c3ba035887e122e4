#include "core/probe/jacobian_by_tokens.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/probe/probe_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::Contains;
using testing::HasSubstr;

class JacobianByTokensTest : public testing::Test {
 protected:
  JacobianByTokensTest() { at::manual_seed(26); }

  static ProbeResult Run(ProbeFixture& layer) {
    return layer.Probe({.by_tokens = true});
  }
};

at::Tensor Shares(const ProbeResult& result) {
  return ArrayOf(result, "jacobian_variance_shares");
}

// All averages by autograd, [E, E, d, d].
at::Tensor Naive(const ProbeFixture& layer) {
  std::vector<at::Tensor> rows;
  for (size_t e = 0; e < layer.experts.size(); ++e) {
    std::vector<at::Tensor> row;
    for (size_t t = 0; t < layer.experts.size(); ++t) {
      row.push_back(layer.Average(e, layer.RoutedTo(static_cast<int64_t>(t))));
    }
    rows.push_back(at::stack(row));
  }
  return at::stack(rows);
}

class JacobianByTokensOfKindTest
    : public JacobianByTokensTest,
      public testing::WithParamInterface<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, JacobianByTokensOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(JacobianByTokensOfKindTest, SharesAreThoseOfATwoWayLayout) {
  ProbeFixture layer({.kind = GetParam()});
  const ProbeResult result = Run(layer);
  const at::Tensor x = Naive(layer);
  const at::Tensor mean = x.mean({0, 1}, true);
  const auto total = [](const at::Tensor& y) {
    return y.square().sum().item<double>();
  };
  const double all = total(x - mean);
  // 1e-5: sums in float32.
  EXPECT_NEAR(Shares(result)[0].item<double>(),
              3 * total(x.mean(1, true) - mean) / all, 1e-5);
  EXPECT_NEAR(Shares(result)[1].item<double>(),
              3 * total(x.mean(0, true) - mean) / all, 1e-5);
  EXPECT_NEAR(Shares(result).sum().item<double>(), 1, 1e-12);
  const double same_expert =
      (CosineOf(x[1][0], x[1][1]) + CosineOf(x[1][0], x[1][2]) +
       CosineOf(x[1][1], x[1][2])) /
      3;
  EXPECT_NEAR(ArrayOf(result, "jacobian_by_tokens/cosine_same_expert")[1]
                  .item<double>(),
              same_expert, 1e-5);
  const double same_tokens =
      (CosineOf(x[0][2], x[1][2]) + CosineOf(x[0][2], x[2][2]) +
       CosineOf(x[1][2], x[2][2])) /
      3;
  EXPECT_NEAR(ArrayOf(result, "jacobian_by_tokens/cosine_same_tokens")[2]
                  .item<double>(),
              same_tokens, 1e-5);
}

TEST_F(JacobianByTokensTest, IdenticalExpertsLeaveAllToTheTokens) {
  ProbeFixture layer;
  layer.experts[1] = layer.experts[2] = layer.experts[0];
  const ProbeResult result = Run(layer);
  EXPECT_NEAR(Shares(result)[0].item<double>(), 0, 1e-10);
  EXPECT_NEAR(Shares(result)[1].item<double>(), 1, 1e-10);
  EXPECT_NEAR(ArrayOf(result, "jacobian_by_tokens/cosine_same_tokens")
                  .min()
                  .item<double>(),
              1, 1e-10);
}

TEST_F(JacobianByTokensTest, EqualTokensLeaveAllToTheExperts) {
  ProbeFixture layer;
  layer.h.copy_(layer.h[0].expand_as(layer.h).clone());
  const ProbeResult result = Run(layer);
  // 1e-6: sums of different token counts round differently.
  EXPECT_NEAR(Shares(result)[0].item<double>(), 1, 1e-6);
}

TEST_F(JacobianByTokensTest, OfWideLayersIsWithinItsStandardErrors) {
  ProbeFixture layer({.width = 150, .hidden = 20, .windows = 2});
  ASSERT_GT(150, kMostExactByTokens);
  const ProbeResult result = Run(layer);
  const at::Tensor x = Naive(layer);
  const at::Tensor mean = x.mean({0, 1}, true);
  const double share =
      (3 * (x.mean(1, true) - mean).square().sum() / (x - mean).square().sum())
          .item<double>();
  const double error =
      ArrayOf(result, "jacobian_variance_shares/error")[0].item<double>();
  EXPECT_GT(error, 0);
  EXPECT_LT(error, 0.1);
  EXPECT_NEAR(Shares(result)[0].item<double>(), share, 4 * error);
}

TEST_F(JacobianByTokensTest, LeavesOutTokensOfAnExpertThatHasNone) {
  ProbeFixture layer;
  layer.counted.copy_(layer.routing.chosen.ne(0).all(1));
  const ProbeResult result = Run(layer);
  const at::Tensor same_tokens =
      ArrayOf(result, "jacobian_by_tokens/cosine_same_tokens");
  EXPECT_TRUE(std::isnan(same_tokens[0].item<double>()));
  EXPECT_FALSE(std::isnan(same_tokens[1].item<double>()));
  EXPECT_FALSE(Shares(result).isnan().any().item<bool>());
  EXPECT_THAT(result.warnings,
              Contains(HasSubstr("expert 0: no token is routed to it")));
}

TEST_F(JacobianByTokensTest, IsLeftOutUnlessAskedFor) {
  ProbeFixture layer;
  EXPECT_FALSE(Shares(layer.Probe()).defined());
  ProbeFixture single({.experts = 1});
  single.routing = DenseRouting(single.h.size(0));
  EXPECT_FALSE(Shares(Run(single)).defined());
}

}  // namespace
}  // namespace moeprobe
