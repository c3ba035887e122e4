#include "core/probe/gram_cosines.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

at::Tensor RandomGram(int64_t size) {
  const at::Tensor x = at::randn({size, 7}, at::kDouble);
  return x.mm(x.t());
}

TEST(GramCosinesTest, DoNotSeeTheScale) {
  at::manual_seed(1);
  const at::Tensor gram = RandomGram(4);
  const at::Tensor scale = at::randn({4}, at::kDouble).abs() + 1;
  const at::Tensor scaled = gram * scale.unsqueeze(0) * scale.unsqueeze(1);
  EXPECT_LT(MaxDistance(CosinesOf(scaled), CosinesOf(gram)), 1e-14);
  EXPECT_EQ(CosinesOf(gram)[2][2].item<double>(), 1);
}

TEST(GramCosinesTest, AreNanWhereThereIsNoLength) {
  at::Tensor gram = at::eye(3, at::kDouble);
  gram[1][1] = 0;
  gram[2][2] = -1;
  const at::Tensor cosines = CosinesOf(gram);
  EXPECT_TRUE(std::isnan(cosines[1][1].item<double>()));
  EXPECT_TRUE(std::isnan(cosines[0][2].item<double>()));
  EXPECT_EQ(cosines[0][0].item<double>(), 1);
}

TEST(GramCosinesTest, ChangeAsTheirDerivativeSays) {
  at::manual_seed(2);
  const at::Tensor gram = RandomGram(4);
  const at::Tensor term = RandomGram(4);
  const double step = 1e-6;
  const at::Tensor change =
      (CosinesOf(gram + term * step) - CosinesOf(gram - term * step)) /
      (2 * step);
  // The error of central differences: about step^2, and eps / step.
  EXPECT_LT(MaxDistance(CosineChanges(gram, term.unsqueeze(0))[0], change),
            1e-8);
}

TEST(GramCosinesTest, HaveNoErrorFromAllDirections) {
  at::manual_seed(3);
  const at::Tensor changes = at::randn({5, 2, 2}, at::kDouble);
  EXPECT_EQ(ErrorOfDirections(changes, 5).abs().max().item<double>(), 0);
  const at::Tensor error = ErrorOfDirections(changes, 10);
  EXPECT_LT(MaxDistance(error, changes.std(0) * std::sqrt(0.5 / 5)), 1e-15);
}

}  // namespace
}  // namespace moeprobe
