#include "core/significance/replicate_summary.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

at::Tensor Draws(std::initializer_list<double> values) {
  return at::tensor(values, at::kDouble);
}

TEST(ReplicateSummaryTest, IsMeanAndDeviationOfTheFiniteDraws) {
  const at::Tensor draws = Draws({1, kNaN, 3, 5});
  EXPECT_DOUBLE_EQ(MeanOfDraws(draws), 3);
  EXPECT_DOUBLE_EQ(DeviationOfDraws(draws), 2);
}

TEST(ReplicateSummaryTest, CentresTheIntervalOnTheObserved) {
  const at::Tensor draws = at::arange(0, 1001, at::kDouble);  // mean 500
  const Interval interval = BootstrapInterval(7, draws);
  EXPECT_DOUBLE_EQ(interval.low, 7 - 475);
  EXPECT_DOUBLE_EQ(interval.high, 7 + 475);
}

TEST(ReplicateSummaryTest, CountsTheObservedAmongItsNull) {
  const at::Tensor draws = Draws({1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(PValue(5, draws), 1 / 5.0);
  EXPECT_DOUBLE_EQ(PValue(4, draws), 2 / 5.0);  // equal counts against
  EXPECT_DOUBLE_EQ(PValue(0, draws), 1);
}

TEST(ReplicateSummaryTest, IsNaNWhereNothingIsKnown) {
  EXPECT_TRUE(std::isnan(MeanOfDraws(Draws({kNaN}))));
  EXPECT_TRUE(std::isnan(DeviationOfDraws(Draws({1, kNaN}))));
  EXPECT_TRUE(std::isnan(BootstrapInterval(1, Draws({2})).low));
  EXPECT_TRUE(std::isnan(BootstrapInterval(kNaN, Draws({1, 2, 3})).high));
  EXPECT_TRUE(std::isnan(PValue(1, Draws({}))));
  EXPECT_TRUE(std::isnan(PValue(kNaN, Draws({1, 2}))));
}

// Known truth: the mean of a normal sample, whose bootstrap draws are normal
// around the sample's mean.
TEST(ReplicateSummaryTest, CoversTheTruth) {
  at::manual_seed(1);
  constexpr int64_t kTrials = 500;
  constexpr int64_t kSample = 100;
  int64_t covered = 0;
  for (int64_t trial = 0; trial < kTrials; ++trial) {
    const at::Tensor sample = at::randn({kSample}, at::kDouble);
    const auto mean = sample.mean().item<double>();
    const at::Tensor draws = mean + at::randn({200}, at::kDouble) *
                                        sample.std() / std::sqrt(kSample);
    const Interval interval = BootstrapInterval(mean, draws);
    covered += static_cast<int64_t>(interval.low <= 0 && 0 <= interval.high);
  }
  // The bounds; three standard errors of 95 % are 92 to 98 %.
  EXPECT_GE(covered, kTrials * 0.90);
  EXPECT_LE(covered, kTrials * 0.98);
}

}  // namespace
}  // namespace moeprobe
