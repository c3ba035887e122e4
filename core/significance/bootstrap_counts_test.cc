#include "core/significance/bootstrap_counts.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(BootstrapCountsTest, SumToTheNumberOfGroups) {
  const at::Tensor counts = BootstrapCounts(32, 200, 0);
  EXPECT_EQ(counts.size(0), 200);
  EXPECT_EQ(counts.size(1), 32);
  EXPECT_TRUE(counts.sum(1).eq(32).all().item<bool>());
  EXPECT_TRUE(counts.ge(0).all().item<bool>());
}

TEST(BootstrapCountsTest, AreMultinomial) {
  constexpr int64_t kDraws = 4000;
  constexpr int64_t kGroups = 16;
  const at::Tensor counts = BootstrapCounts(kGroups, kDraws, 5);
  // A count has mean 1 and variance 15/16; five standard errors of each.
  EXPECT_LT((counts.mean(0) - 1).abs().max().item<double>(),
            5 * std::sqrt(15 / 16.0 / kDraws));
  EXPECT_NEAR(counts.var().item<double>(), 15 / 16.0,
              5 * std::sqrt(2.9 / (kDraws * kGroups)));
}

TEST(BootstrapCountsTest, DependOnSeedAndIndexAlone) {
  const at::Tensor counts = BootstrapCounts(20, 50, 3);
  EXPECT_TRUE(counts.slice(0, 0, 10).equal(BootstrapCounts(20, 10, 3)));
  EXPECT_FALSE(counts.equal(BootstrapCounts(20, 50, 4)));
}

TEST(BootstrapCountsTest, OfOneGroupAreTheSample) {
  EXPECT_TRUE(BootstrapCounts(1, 5, 0).eq(1).all().item<bool>());
}

}  // namespace
}  // namespace moeprobe
