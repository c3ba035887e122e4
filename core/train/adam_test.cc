#include "core/train/adam.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// The first step is the learning rate, whatever the gradient's size.
TEST(AdamTest, BeginsWithStepsOfTheLearningRate) {
  const at::Tensor x = at::zeros({3}).requires_grad_();
  Adam adam({x}, {});
  adam.Step({at::full({3}, 5.0)}, 0.1);
  EXPECT_NEAR(x[1].item<double>(), -0.1, 1e-7);
  EXPECT_EQ(adam.steps(), 1);
}

// Kingma & Ba's algorithm 1, line by line in float64.
TEST(AdamTest, FollowsTheAlgorithm) {
  at::manual_seed(8);
  const at::Tensor x = at::randn({4, 5}).requires_grad_();
  at::Tensor expected = x.detach().to(at::kDouble);
  at::Tensor m = at::zeros_like(expected), v = at::zeros_like(expected);
  Adam adam({x}, {});
  for (int64_t t = 1; t <= 30; ++t) {
    const at::Tensor g = at::randn({4, 5});
    adam.Step({g}, 0.01);
    const at::Tensor wide = g.to(at::kDouble);
    m = m * 0.9 + wide * 0.1;
    v = v * 0.999 + wide * wide * 0.001;
    const at::Tensor m_hat = m / (1 - std::pow(0.9, t));
    const at::Tensor v_hat = v / (1 - std::pow(0.999, t));
    expected = expected - m_hat / (v_hat.sqrt() + 1e-8) * 0.01;
  }
  // 30 steps of up to 0.01, rounded to float32 each.
  EXPECT_LT((x - expected).abs().max().item<double>(), 2e-6);
}

TEST(AdamTest, GoesOnWhereAnotherStopped) {
  at::manual_seed(9);
  const at::Tensor gradient = at::randn({6});
  const at::Tensor x = at::ones({6}).requires_grad_();
  Adam whole({x}, {});
  whole.Step({gradient}, 0.1);
  const at::Tensor y = x.detach().clone().requires_grad_();
  Adam rest({y}, {});
  rest.first_moments()[0].copy_(whole.first_moments()[0]);
  rest.second_moments()[0].copy_(whole.second_moments()[0]);
  rest.set_steps(whole.steps());
  whole.Step({gradient * 2}, 0.1);
  rest.Step({gradient * 2}, 0.1);
  EXPECT_TRUE(x.equal(y));
}

TEST(GradientNormTest, IsThatOfAllTogether) {
  EXPECT_NEAR(GradientNorm({at::full({2}, 3.0), at::full({1}, std::sqrt(7.0))}),
              5, 1e-6);
  EXPECT_EQ(GradientNorm({}), 0);
  EXPECT_TRUE(std::isnan(GradientNorm({at::full({1}, std::nan(""))})));
}

TEST(ClipGradientsTest, ScalesDownAndNeverUp) {
  const std::vector<at::Tensor> gradients{at::full({1}, 3.0),
                                          at::full({1}, 4.0)};
  ClipGradients(gradients, 5, 10);
  EXPECT_EQ(gradients[0].item<float>(), 3);
  ClipGradients(gradients, 5, 0);
  EXPECT_EQ(gradients[0].item<float>(), 3);
  ClipGradients(gradients, 5, 1);
  EXPECT_NEAR(GradientNorm(gradients), 1, 1e-6);
  EXPECT_NEAR(gradients[1].item<double>(), 0.8, 1e-6);
}

}  // namespace
}  // namespace moeprobe
