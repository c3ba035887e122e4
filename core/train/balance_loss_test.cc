#include "core/train/balance_loss.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/model/routing_rule.h"
#include "core/train/token_gates.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr RoutingRule kTopOne{.per_token = 1, .renormalize = false};
constexpr RoutingRule kTopTwo{.per_token = 2, .renormalize = true};

double Loss(const at::Tensor& logits, const RoutingRule& rule) {
  return BalanceLoss(GateTokens(logits, rule)).item<double>();
}

TEST(BalanceLossTest, IsOneUnderBalance) {
  EXPECT_NEAR(Loss(at::eye(4) * 3, kTopOne), 1, 1e-6);
}

TEST(BalanceLossTest, IsTheNumberOfExpertsWhereOneGetsAll) {
  at::Tensor logits = at::zeros({5, 4});
  logits.select(1, 2).fill_(100);
  EXPECT_NEAR(Loss(logits, kTopOne), 4, 1e-6);
}

TEST(BalanceLossTest, IsOneUnderSoftRouting) {
  at::manual_seed(5);
  const at::Tensor logits = at::randn({7, 4}).requires_grad_();
  const at::Tensor loss = BalanceLoss(GateTokens(logits, {.per_token = 4}));
  EXPECT_NEAR(loss.item<double>(), 1, 1e-6);
  const auto gradient = torch::autograd::grad({loss}, {logits});
  EXPECT_LT(gradient[0].abs().max().item<double>(), 1e-7);
}

TEST(BalanceLossTest, DoesNotDependOnTheOrderOfExperts) {
  at::manual_seed(6);
  const at::Tensor logits = at::randn({50, 4});
  EXPECT_NEAR(Loss(logits, kTopTwo), Loss(logits.flip(1), kTopTwo), 1e-6);
}

// A step against the gradient sends fewer tokens to the expert with most.
TEST(BalanceLossTest, PullsTowardsBalance) {
  at::manual_seed(7);
  at::Tensor logits = at::randn({200, 4});
  logits.select(1, 1).add_(1);
  logits.requires_grad_();
  const at::Tensor loss = BalanceLoss(GateTokens(logits, kTopTwo));
  const auto gradient = torch::autograd::grad({loss}, {logits});
  EXPECT_GT(gradient[0].select(1, 1).sum().item<double>(), 0);
}

}  // namespace
}  // namespace moeprobe
