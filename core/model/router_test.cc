#include "core/model/router.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "core/model/routing_rule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

std::vector<int64_t> Ids(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous().flatten();
  const auto* data = flat.const_data_ptr<int64_t>();
  return {data, data + flat.numel()};
}

// With the identity as router, the hidden state is the logits.
Routing RouteLogits(const std::vector<float>& logits, int64_t per_token,
                    bool renormalize, double temperature = 1) {
  const auto count = static_cast<int64_t>(logits.size());
  return Route(at::tensor(logits).unsqueeze(0), at::eye(count),
               {.per_token = per_token,
                .renormalize = renormalize,
                .temperature = temperature});
}

std::vector<float> Gates(const Routing& routing) {
  const at::Tensor flat = routing.gates.contiguous().flatten();
  const auto* data = flat.const_data_ptr<float>();
  return {data, data + flat.numel()};
}

TEST(RouteTest, ChoosesTheMostProbableFirst) {
  const Routing routing = RouteLogits({0, 3, 1, 2}, 2, false);
  EXPECT_THAT(Ids(routing.chosen), testing::ElementsAre(1, 3));
}

TEST(RouteTest, BreaksTiesByTheLowestIndex) {
  EXPECT_THAT(Ids(RouteLogits({1, 2, 2, 2, 2}, 3, false).chosen),
              testing::ElementsAre(1, 2, 3));
}

TEST(RouteTest, TakesTheSoftmaxOverAllExperts) {
  const Routing routing =
      RouteLogits({0, std::numbers::ln2_v<float>, std::log(3.0F)}, 2, false);
  EXPECT_NEAR(routing.gates[0][0].item<float>(), 3.0 / 6, 1e-6);
  EXPECT_NEAR(routing.gates[0][1].item<float>(), 2.0 / 6, 1e-6);
}

TEST(RouteTest, RenormalisesOnlyWhereTheFamilyDoes) {
  const Routing routing =
      RouteLogits({0, std::numbers::ln2_v<float>, std::log(3.0F)}, 2, true);
  EXPECT_NEAR(routing.gates[0][0].item<float>(), 3.0 / 5, 1e-6);
  EXPECT_NEAR(routing.gates[0][1].item<float>(), 2.0 / 5, 1e-6);
}

TEST(RouteTest, DividesLogitsByTheTemperature) {
  at::manual_seed(2);
  const at::Tensor h = at::randn({20, 5});
  const at::Tensor weight = at::randn({7, 5});
  for (const double temperature : {0.25, 0.5, 2.0, 4.0}) {
    const Routing routing =
        Route(h, weight, {.per_token = 7, .temperature = temperature});
    const at::Tensor expected =
        (h.mm(weight.t()).to(at::kDouble) / temperature).softmax(1);
    // 1e-6: logits are float32.
    EXPECT_TRUE(routing.probabilities.to(at::kDouble)
                    .allclose(expected, /*rtol=*/0, /*atol=*/1e-6));
    EXPECT_TRUE(
        routing.gates.equal(routing.probabilities.gather(1, routing.chosen)));
  }
}

TEST(RouteTest, IsTheModelsAtTemperatureOne) {
  at::manual_seed(3);
  const at::Tensor h = at::randn({500, 8});
  const at::Tensor weight = at::randn({12, 8});
  const Routing routing = Route(h, weight, {.per_token = 12});
  EXPECT_TRUE(routing.probabilities.equal(at::linear(h, weight).softmax(-1)));
}

TEST(RouteTest, OfAllExpertsUsesTheScoresAsTheyAre) {
  const Routing routing =
      RouteLogits({0, std::numbers::ln2_v<float>, std::log(3.0F)}, 3, false);
  EXPECT_THAT(Ids(routing.chosen), testing::ElementsAre(2, 1, 0));
  EXPECT_THAT(Gates(routing),
              testing::ElementsAre(testing::FloatNear(3.0F / 6, 1e-6F),
                                   testing::FloatNear(2.0F / 6, 1e-6F),
                                   testing::FloatNear(1.0F / 6, 1e-6F)));
}

TEST(RouteTest, SaturatesWithoutNan) {
  // Below 1e-38 a float32 temperature would be 0, and 0 / 0 no number.
  for (const double temperature : {1e-3, 1e-30, 1e-300}) {
    const Routing cold = RouteLogits({1, 4, 4, 2, 3}, 3, true, temperature);
    EXPECT_THAT(Ids(cold.chosen), testing::ElementsAre(1, 2, 4));
    EXPECT_THAT(Gates(cold), testing::ElementsAre(0.5F, 0.5F, 0));
  }
  const Routing hot = RouteLogits({1, 4, 4, 2, 3}, 5, false, 1e300);
  EXPECT_THAT(Gates(hot), testing::Each(testing::FloatEq(0.2F)));
}

TEST(RouteTest, OfOneExpertIsCertainAtEveryTemperature) {
  for (const double temperature : {1e-300, 1.0, 1e300}) {
    EXPECT_THAT(Gates(RouteLogits({-3}, 1, false, temperature)),
                testing::ElementsAre(1));
  }
}

// The chosen gates of `h` [d] as a function of it, all float64.
at::Tensor GatesAt(const at::Tensor& h, const at::Tensor& weight,
                   const at::Tensor& chosen, const RoutingRule& rule) {
  const at::Tensor p = weight.mv(h).div(rule.temperature).softmax(0);
  const at::Tensor gates = p.index_select(0, chosen);
  return rule.renormalize ? gates / gates.sum() : gates;
}

TEST(GateGradientsTest, AreThoseOfAutogradByEveryRule) {
  at::manual_seed(4);
  const at::Tensor h = at::randn({6, 5});
  const at::Tensor weight = at::randn({4, 5});
  for (const bool renormalize : {true, false}) {
    for (const int64_t per_token : {1, 2, 4}) {
      for (const double temperature : {0.3, 1.0, 3.0}) {
        const RoutingRule rule{.per_token = per_token,
                               .renormalize = renormalize,
                               .temperature = temperature};
        const Routing routing = Route(h, weight, rule);
        const at::Tensor gradients = GateGradients(routing, weight, rule);
        for (int64_t t = 0; t < 6; ++t) {
          const at::Tensor x = h[t].to(at::kDouble).requires_grad_();
          const at::Tensor gates =
              GatesAt(x, weight.to(at::kDouble), routing.chosen[t], rule);
          for (int64_t c = 0; c < per_token; ++c) {
            const at::Tensor expected =
                torch::autograd::grad({gates[c]}, {x}, {}, true)[0];
            // 1e-5: gates are float32, divided by temperatures down to 0.3.
            EXPECT_TRUE(gradients[t][c].allclose(expected, 0, 1e-5))
                << renormalize << per_token << temperature;
          }
        }
      }
    }
  }
}

TEST(GateGradientsTest, OfSoftRoutingCancel) {
  at::manual_seed(5);
  const at::Tensor weight = at::randn({4, 5});
  const RoutingRule rule{.per_token = 4, .temperature = 0.5};
  const Routing routing = Route(at::randn({6, 5}), weight, rule);
  // Gates sum to 1: of E gradients at most E - 1 are independent.
  EXPECT_LT(
      GateGradients(routing, weight, rule).sum(1).abs().max().item<double>(),
      1e-6);
}

TEST(GateGradientsTest, VanishWhereGatesAreSaturated) {
  const at::Tensor weight = at::eye(3);
  const RoutingRule rule{.per_token = 3, .temperature = 1e-300};
  const Routing routing =
      Route(at::tensor({1.0F, 2.0F, 3.0F}).unsqueeze(0), weight, rule);
  EXPECT_EQ(GateGradients(routing, weight, rule).abs().max().item<double>(), 0);
}

TEST(GroupByExpertTest, GivesEveryChoiceToItsExpertInTheOrderOfTokens) {
  at::manual_seed(1);
  const Routing routing = Route(at::randn({50, 6}), at::randn({6, 6}),
                                {.per_token = 2, .renormalize = true});
  const std::vector<ExpertTokens> groups = GroupByExpert(routing);
  ASSERT_EQ(groups.size(), 6);
  at::Tensor dense = at::zeros({50, 6});
  for (int64_t e = 0; e < 6; ++e) {
    const ExpertTokens& group = groups[static_cast<size_t>(e)];
    const std::vector<int64_t> tokens = Ids(group.tokens);
    EXPECT_TRUE(std::ranges::is_sorted(tokens));
    dense.select(1, e).index_copy_(0, group.tokens, group.gates);
  }
  const at::Tensor expected =
      at::zeros({50, 6}).scatter_(1, routing.chosen, routing.gates);
  EXPECT_TRUE(dense.equal(expected));
}

TEST(GroupByExpertTest, KeepsAnExpertThatNobodyChose) {
  const std::vector<ExpertTokens> groups =
      GroupByExpert(RouteLogits({5, 0, 0}, 1, true));
  ASSERT_EQ(groups.size(), 3);
  EXPECT_EQ(groups[0].tokens.size(0), 1);
  EXPECT_EQ(groups[1].tokens.size(0), 0);
}

TEST(DenseRoutingTest, SendsEveryTokenToOneExpertWithGateOne) {
  const std::vector<ExpertTokens> groups = GroupByExpert(DenseRouting(4));
  ASSERT_EQ(groups.size(), 1);
  EXPECT_THAT(Ids(groups[0].tokens), testing::ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(groups[0].gates.min().item<float>(), 1.0F);
}

}  // namespace
}  // namespace moeprobe
