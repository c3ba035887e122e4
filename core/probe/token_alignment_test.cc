#include "core/probe/token_alignment.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "core/checkpoint/model_config.h"
#include "core/probe/probe_fixture.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::Contains;
using testing::HasSubstr;

class TokenAlignmentTest : public testing::Test {
 protected:
  TokenAlignmentTest() { at::manual_seed(22); }
};

at::Tensor Cosines(const ProbeResult& result) {
  return ArrayOf(result, "jacobian_cosine/token");
}

// The mean over all tokens of the cosine of two autograd Jacobians.
double Naive(const ProbeFixture& layer, size_t e, size_t f) {
  double sum = 0;
  for (int64_t t = 0; t < layer.h.size(0); ++t) {
    sum += CosineOf(layer.experts[e].JacobianByAutograd(layer.h[t]),
                    layer.experts[f].JacobianByAutograd(layer.h[t]));
  }
  return sum / static_cast<double>(layer.h.size(0));
}

class TokenAlignmentOfKindTest : public testing::TestWithParam<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, TokenAlignmentOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(TokenAlignmentOfKindTest, IsTheMeanOfCosinesByAutograd) {
  at::manual_seed(22);
  ProbeFixture layer({.kind = GetParam()});
  const ProbeResult result = TokenAlignment(layer.Layer(), 100, 0);
  for (const auto& [e, f] : {std::pair(0, 1), std::pair(2, 0)}) {
    // Both in float64.
    EXPECT_NEAR(Cosines(result)[e][f].item<double>(), Naive(layer, e, f),
                1e-12);
  }
  EXPECT_EQ(Cosines(result)[1][1].item<double>(), 1);
  EXPECT_EQ(
      ArrayOf(result, "jacobian_cosine/token_error").abs().max().item<double>(),
      0);
}

TEST_F(TokenAlignmentTest, IsOneBetweenIdenticalExperts) {
  ProbeFixture layer;
  layer.experts[2] = layer.experts[0];
  layer.experts[2].PermuteNeurons();
  EXPECT_NEAR(Cosines(TokenAlignment(layer.Layer(), 4, 0))[0][2].item<double>(),
              1, 1e-12);
}

TEST_F(TokenAlignmentTest, OfWideLayersIsWithinItsStandardErrors) {
  ProbeFixture layer(
      {.width = 520, .hidden = 40, .windows = 1, .sequence_length = 2});
  ASSERT_GT(520, kMostExactTokenWidth);
  // Something in common, so that the cosine is not about zero.
  layer.experts[1].down = layer.experts[0].down + layer.experts[1].down;
  layer.experts[1].gate = layer.experts[0].gate;
  layer.experts[1].up = layer.experts[0].up;
  const ProbeResult result = TokenAlignment(layer.Layer(), 100, 0);
  const double error =
      ArrayOf(result, "jacobian_cosine/token_error")[0][1].item<double>();
  EXPECT_GT(error, 0);
  EXPECT_LT(error, 0.05);
  EXPECT_NEAR(Cosines(result)[0][1].item<double>(), Naive(layer, 0, 1),
              4 * error);
}

TEST_F(TokenAlignmentTest, LooksAtTokensThatCountOnly) {
  ProbeFixture layer;
  layer.counted.slice(0, 1).fill_(false);
  const ProbeResult result = TokenAlignment(layer.Layer(), 16, 0);
  EXPECT_NEAR(Cosines(result)[0][1].item<double>(),
              CosineOf(layer.experts[0].JacobianByAutograd(layer.h[0]),
                       layer.experts[1].JacobianByAutograd(layer.h[0])),
              1e-12);
}

TEST_F(TokenAlignmentTest, IsNanWithAWarningWhereAJacobianIsZero) {
  ProbeFixture layer;
  layer.experts[1].down.zero_();
  const ProbeResult result = TokenAlignment(layer.Layer(), 4, 0);
  EXPECT_TRUE(std::isnan(Cosines(result)[0][1].item<double>()));
  EXPECT_FALSE(std::isnan(Cosines(result)[0][2].item<double>()));
  EXPECT_THAT(result.warnings,
              Contains(HasSubstr("expert 1: its Jacobian is zero")));
}

}  // namespace
}  // namespace moeprobe
