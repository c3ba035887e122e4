#include "core/train/token_gates.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr RoutingRule kTopTwo{.per_token = 2, .renormalize = true};
constexpr RoutingRule kSoft{.per_token = 4};

at::Tensor RandomLogits() {
  at::manual_seed(4);
  return at::randn({9, 4});
}

TEST(TokenGatesTest, GivesTheLargestTwoTheirShares) {
  const at::Tensor logits = at::tensor({std::log(1.0), std::numbers::ln2,
                                        std::log(6.0), std::log(1.0)})
                                .to(at::kFloat)
                                .unsqueeze(0);
  const TokenGates gates = GateTokens(logits, kTopTwo);
  EXPECT_TRUE(gates.chosen.equal(at::tensor({2, 1}, at::kLong).unsqueeze(0)));
  EXPECT_NEAR(gates.gates[0][0].item<double>(), 0.75, 1e-6);
  EXPECT_NEAR(gates.gates[0][1].item<double>(), 0.25, 1e-6);
  EXPECT_NEAR(gates.probabilities[0][2].item<double>(), 0.6, 1e-6);
}

// Rounding may differ by an ulp or two: the analysis divides in place.
TEST(TokenGatesTest, AgreesWithTheRouterOfAnAnalysis) {
  const at::Tensor logits = RandomLogits();
  for (const double temperature : {1.0, 0.3}) {
    const RoutingRule rule{
        .per_token = 2, .renormalize = true, .temperature = temperature};
    const Routing expected = RouteLogits(logits, rule);
    const TokenGates gates = GateTokens(logits, rule);
    EXPECT_TRUE(gates.chosen.equal(expected.chosen));
    EXPECT_TRUE(gates.gates.allclose(expected.gates, 1e-6, 1e-7));
  }
}

TEST(TokenGatesTest, SendsEveryTokenEverywhereUnderSoftRouting) {
  const TokenGates gates = GateTokens(RandomLogits(), kSoft);
  EXPECT_FALSE(gates.chosen.defined());
  EXPECT_TRUE(gates.gates.equal(gates.probabilities));
  EXPECT_TRUE(TokensByExpert(gates).eq(9).all().item<bool>());
}

TEST(TokenGatesTest, ChoosesTheFirstOfEqualExperts) {
  const TokenGates gates = GateTokens(at::zeros({3, 4}), kTopTwo);
  EXPECT_TRUE(gates.chosen.select(1, 0).eq(0).all().item<bool>());
  EXPECT_TRUE(gates.chosen.select(1, 1).eq(1).all().item<bool>());
  EXPECT_TRUE(TokensByExpert(gates).equal(at::tensor({3, 3, 0, 0}, at::kLong)));
}

TEST(TokenGatesTest, SpreadsGatesOverExperts) {
  const TokenGates gates = GateTokens(RandomLogits(), kTopTwo);
  const at::Tensor spread = GatesByExpert(gates);
  EXPECT_TRUE(spread.gather(1, gates.chosen).equal(gates.gates));
  EXPECT_EQ(spread.count_nonzero().item<int64_t>(), 18);
}

// Differences of the gates in float64, which the softmax keeps.
TEST(TokenGatesTest, HasTheGradientOfItsDifferences) {
  const at::Tensor logits = RandomLogits().to(at::kDouble).requires_grad_();
  const RoutingRule rule{
      .per_token = 2, .renormalize = true, .temperature = 0.7};
  const at::Tensor direction = at::randn({9, 4}, at::kDouble);
  const auto value = [&](const at::Tensor& at) {
    return GateTokens(at, rule).gates.select(1, 0).sum();
  };
  const double step = 1e-6;
  const at::Tensor slope =
      (value(logits + direction * step) - value(logits - direction * step)) /
      (2 * step);
  const auto gradient = torch::autograd::grad({value(logits)}, {logits});
  EXPECT_NEAR((gradient[0] * direction).sum().item<double>(),
              slope.item<double>(), 1e-8);
}

}  // namespace
}  // namespace moeprobe
