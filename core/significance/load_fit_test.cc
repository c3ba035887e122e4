#include "core/significance/load_fit.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

std::vector<int64_t> LoadsUnder(const at::Tensor& logits,
                                const at::Tensor& biases, int64_t per_token) {
  const at::Tensor loads = std::get<1>(at::topk(logits + biases, per_token))
                               .flatten()
                               .bincount({}, logits.size(1));
  const auto* load = loads.const_data_ptr<int64_t>();
  return {load, load + loads.numel()};
}

std::vector<int64_t> FittedLoads(const at::Tensor& logits,
                                 const std::vector<int64_t>& loads,
                                 int64_t per_token) {
  return LoadsUnder(logits,
                    at::tensor(FitBiases(logits, loads, per_token), at::kFloat),
                    per_token);
}

void ExpectClose(const std::vector<int64_t>& found,
                 const std::vector<int64_t>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t e = 0; e < wanted.size(); ++e) {
    // 1 % or one row; one more where a row lies on the border.
    EXPECT_NEAR(static_cast<double>(found[e]), static_cast<double>(wanted[e]),
                std::max(0.01 * static_cast<double>(wanted[e]), 1.0) + 1)
        << e;
  }
}

class LoadFitTest : public testing::Test {
 protected:
  LoadFitTest() { at::manual_seed(3); }
};

TEST_F(LoadFitTest, ReachesEvenLoads) {
  for (const auto& [experts, per_token] :
       {std::pair{2, 1}, {8, 2}, {60, 4}, {5, 4}}) {
    const at::Tensor logits = at::randn({6000, experts});
    const std::vector<int64_t> loads(static_cast<size_t>(experts),
                                     6000 * per_token / experts);
    ExpectClose(FittedLoads(logits, loads, per_token), loads);
  }
}

TEST_F(LoadFitTest, ReachesLoadsOfAnotherRouter) {
  for (const double spread : {0.5, 2.0}) {
    const at::Tensor scales = at::randn({16}).exp();
    const at::Tensor biases = at::randn({16}) * spread;
    const std::vector<int64_t> loads =
        LoadsUnder(at::randn({9000, 16}) * scales, biases, 3);
    ExpectClose(FittedLoads(at::randn({9000, 16}) * scales, loads, 3), loads);
  }
}

TEST_F(LoadFitTest, ReachesTheEndsOfTheScale) {
  const std::vector<int64_t> loads = {500, 0, 300, 1, 199};  // of 500 rows
  const std::vector<int64_t> found = FittedLoads(at::randn({500, 5}), loads, 2);
  ExpectClose(found, loads);
  EXPECT_EQ(found[1], 0);
}

TEST_F(LoadFitTest, EndsWhereRowsAreAllEqual) {
  const std::vector<float> biases =
      FitBiases(at::zeros({100, 4}), {25, 25, 25, 25}, 1);
  for (const float bias : biases) EXPECT_TRUE(std::isfinite(bias));
}

TEST_F(LoadFitTest, DoesNotChangeWhenExpertsArePermuted) {
  const at::Tensor logits = at::randn({3000, 4});
  const std::vector<float> biases = FitBiases(logits, {100, 400, 900, 1600}, 1);
  std::vector<float> reversed =
      FitBiases(logits.flip(1).contiguous(), {1600, 900, 400, 100}, 1);
  std::ranges::reverse(reversed);
  EXPECT_THAT(reversed, testing::Pointwise(testing::FloatEq(), biases));
}

}  // namespace
}  // namespace moeprobe
