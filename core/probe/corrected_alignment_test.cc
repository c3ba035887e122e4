#include "core/probe/corrected_alignment.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "core/checkpoint/model_config.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr const char* kRouted = "jacobian_cosine_corrected/routed";
constexpr const char* kAll = "jacobian_cosine_corrected/all";

class CorrectedAlignmentTest : public testing::Test {
 protected:
  CorrectedAlignmentTest() { at::manual_seed(21); }
};

// SPEC's formula, one autograd Jacobian after the other.
double Naive(const ProbeFixture& layer, size_t e, size_t f) {
  const at::Tensor odd = layer.groups.of_token.remainder(2).to(at::kDouble);
  const auto half = [&](size_t expert, const at::Tensor& mask) {
    return layer.Average(expert,
                         layer.RoutedTo(static_cast<int64_t>(expert)) * mask);
  };
  const auto inner = [](const at::Tensor& a, const at::Tensor& b) {
    return (a * b).sum().item<double>();
  };
  const at::Tensor ae = half(e, 1 - odd), be = half(e, odd);
  const at::Tensor af = half(f, 1 - odd), bf = half(f, odd);
  return (inner(ae, bf) + inner(be, af)) / 2 /
         std::sqrt(inner(ae, be) * inner(af, bf));
}

class CorrectedAlignmentOfKindTest
    : public CorrectedAlignmentTest,
      public testing::WithParamInterface<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, CorrectedAlignmentOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(CorrectedAlignmentOfKindTest, IsThatOfHalvesByAutograd) {
  ProbeFixture layer({.kind = GetParam()});
  const ProbeResult result = layer.Probe();
  const at::Tensor cosine = ArrayOf(result, kRouted);
  for (size_t e = 0; e < 3; ++e) {
    for (size_t f = 0; f < 3; ++f) {
      const double naive = Naive(layer, e, f);
      if (std::isnan(naive)) continue;
      // 1e-5: sums in float32, and a denominator that may be small.
      EXPECT_NEAR(cosine[static_cast<int64_t>(e)][static_cast<int64_t>(f)]
                      .item<double>(),
                  naive, 1e-5);
    }
  }
  EXPECT_EQ(ArrayOf(result, std::string(kRouted) + "/error")
                .nan_to_num()
                .abs()
                .max()
                .item<double>(),
            0);
}

TEST_F(CorrectedAlignmentTest, IsOneBetweenIdenticalExperts) {
  ProbeFixture layer;
  layer.experts[1] = layer.experts[0];
  EXPECT_NEAR(ArrayOf(layer.Probe(), kAll)[0][1].item<double>(), 1, 1e-6);
}

TEST_F(CorrectedAlignmentTest, DoesNotChangeWhenNeuronsArePermuted) {
  ProbeFixture layer;
  const at::Tensor before = ArrayOf(layer.Probe(), kAll);
  layer.experts[1].PermuteNeurons();
  EXPECT_LT((ArrayOf(layer.Probe(), kAll) - before).abs().max().item<double>(),
            1e-5);
}

TEST_F(CorrectedAlignmentTest, OfWideLayersIsWithinItsStandardErrors) {
  ProbeFixture layer(
      {.width = 520, .hidden = 40, .windows = 2, .sequence_length = 2});
  ASSERT_GT(520, kMostExactHalves);
  const ProbeResult result = layer.Probe({.average = {Weighting::kAll}});
  const at::Tensor error = ArrayOf(result, std::string(kAll) + "/error");
  const at::Tensor odd = layer.groups.of_token.remainder(2).to(at::kDouble);
  const at::Tensor a0 = layer.Average(0, 1 - odd), b0 = layer.Average(0, odd);
  const at::Tensor a1 = layer.Average(1, 1 - odd), b1 = layer.Average(1, odd);
  const auto inner = [](const at::Tensor& a, const at::Tensor& b) {
    return (a * b).sum().item<double>();
  };
  const double naive = (inner(a0, b1) + inner(b0, a1)) / 2 /
                       std::sqrt(inner(a0, b0) * inner(a1, b1));
  EXPECT_GT(error[0][1].item<double>(), 0);
  EXPECT_LT(error[0][1].item<double>(), 0.02);
  EXPECT_NEAR(ArrayOf(result, kAll)[0][1].item<double>(), naive,
              4 * error[0][1].item<double>());
}

// Experts that agree up to noise: the plain cosine falls with the noise, the
// corrected one does not.
TEST_F(CorrectedAlignmentTest, IsFreeOfTheNoiseOfFewTokens) {
  ProbeFixture layer({.width = 32,
                      .hidden = 64,
                      .experts = 2,
                      .windows = 60,
                      .sequence_length = 4});
  layer.experts[1] = layer.experts[0];
  layer.h += 0.5;
  // Tokens go to one or the other at random: both averages are of the same
  // Jacobian, each with its own noise.
  layer.rule.per_token = 1;
  layer.routing = Route(layer.h, layer.router, layer.rule);
  layer.routing.chosen.copy_(at::randn({240, 1}).gt(0).to(at::kLong));
  const ProbeResult result = layer.Probe();
  const double plain =
      ArrayOf(result, "jacobian_cosine/routed")[0][1].item<double>();
  const double corrected = ArrayOf(result, kRouted)[0][1].item<double>();
  EXPECT_LT(plain, 0.99);
  EXPECT_LT(std::abs(corrected - 1), std::abs(plain - 1) / 2);
}

TEST_F(CorrectedAlignmentTest, IsNanWhereAHalfHasNoToken) {
  ProbeFixture layer;
  layer.routing.chosen.copy_(
      at::ones_like(layer.routing.chosen).cumsum(1));  // experts 1 and 2
  layer.routing.chosen[0][0] = 0;                      // one token to expert 0
  const ProbeResult result = layer.Probe();
  EXPECT_TRUE(std::isnan(ArrayOf(result, kRouted)[0][0].item<double>()));
  EXPECT_FALSE(std::isnan(ArrayOf(result, kAll)[0][0].item<double>()));
  EXPECT_THAT(result.warnings,
              Contains(HasSubstr("expert 0: all of its tokens (routed) are in "
                                 "one half of the windows")));
}

TEST_F(CorrectedAlignmentTest, IsNanForOneWindowWithAWarning) {
  ProbeFixture layer({.windows = 1});
  const ProbeResult result = layer.Probe();
  EXPECT_TRUE(ArrayOf(result, kAll).isnan().all().item<bool>());
  EXPECT_THAT(result.warnings, Contains(HasSubstr("one half of the windows")));
}

}  // namespace
}  // namespace moeprobe
