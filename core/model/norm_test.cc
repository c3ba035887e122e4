#include "core/model/norm.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>

#include "core/checkpoint/checkpoint.h"
#include "core/model/rms_norm.h"
#include "core/model/weight.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr double kEpsilon = 1e-5;

double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class NormTest : public testing::Test {
 protected:
  NormTest() { at::manual_seed(5); }

  const at::Tensor weight_ = at::randn({7});
  const at::Tensor bias_ = at::randn({7});
  const NormTensors layer_norm_{.bias = ViewOf(bias_, "bias"),
                                .weight = ViewOf(weight_, "weight")};
};

TEST_F(NormTest, WithABiasTakesMeanAndVarianceAway) {
  const at::Tensor x = at::randn({3, 2, 7}) * 4 + 1;
  const at::Tensor wide = x.to(at::kDouble);
  const at::Tensor centred = wide - wide.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  const at::Tensor expected =
      centred / (variance + kEpsilon).sqrt() * weight_ + bias_;
  // A few float32 roundings.
  EXPECT_LT(MaxDistance(Norm(x, layer_norm_, kEpsilon), expected), 1e-5);
}

TEST_F(NormTest, OfTwoNumbersIsKnown) {
  const at::Tensor weight = at::tensor({2.F, 3.F});
  const at::Tensor bias = at::tensor({.5F, -1.F});
  const at::Tensor y =
      Norm(at::tensor({1.F, 5.F}),
           {.bias = ViewOf(bias, "bias"), .weight = ViewOf(weight, "weight")},
           /*epsilon=*/5);
  // The mean is 3, the variance 4: (-2, 2) / 3.
  EXPECT_NEAR(y[0].item<double>(), -4.0 / 3 + .5, 1e-6);
  EXPECT_NEAR(y[1].item<double>(), 2 - 1, 1e-6);
}

TEST_F(NormTest, WithABiasDoesNotSeeAShift) {
  const at::Tensor x = at::randn({4, 7});
  EXPECT_LT(MaxDistance(Norm(x + 8, layer_norm_, kEpsilon),
                        Norm(x, layer_norm_, kEpsilon)),
            1e-5);
}

TEST_F(NormTest, OfEqualNumbersIsTheBias) {
  EXPECT_LT(MaxDistance(Norm(at::full({7}, 2.5), layer_norm_, kEpsilon), bias_),
            1e-6);
}

TEST_F(NormTest, WithoutABiasIsAnRmsNorm) {
  const at::Tensor x = at::randn({4, 7}) + 1;
  const at::Tensor y = Norm(x, {.weight = ViewOf(weight_, "weight")}, kEpsilon);
  EXPECT_TRUE(y.equal(RmsNorm(x, weight_, kEpsilon)));
}

TEST_F(NormTest, IsFloat32WhateverItsInputsAre) {
  const at::Tensor weight = weight_.to(at::kBFloat16);
  const at::Tensor bias = bias_.to(at::kBFloat16);
  const at::Tensor y =
      Norm(at::randn({4, 7}).to(at::kBFloat16),
           {.bias = ViewOf(bias, "bias"), .weight = ViewOf(weight, "weight")},
           kEpsilon);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace moeprobe
