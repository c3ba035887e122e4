#include "core/train/learning_rate.h"

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(LearningRateTest, StaysWhereNothingIsAsked) {
  for (const int step : {1, 7, 100}) EXPECT_EQ(RateAt({}, step, 100), 3e-4);
}

TEST(LearningRateTest, RisesToThePeak) {
  const LearningRate rate{.peak = 2, .warmup_steps = 4};
  EXPECT_EQ(RateAt(rate, 1, 10), 0.5);
  EXPECT_EQ(RateAt(rate, 4, 10), 2);
  EXPECT_EQ(RateAt(rate, 5, 10), 2);
}

TEST(LearningRateTest, FallsToNothingAtTheLastStep) {
  for (const Decay decay : {Decay::kLinear, Decay::kCosine}) {
    const LearningRate rate{.peak = 2, .warmup_steps = 4, .decay = decay};
    EXPECT_NEAR(RateAt(rate, 7, 10), 1, 1e-15);  // half the way
    EXPECT_NEAR(RateAt(rate, 10, 10), 0, 1e-15);
  }
  EXPECT_NEAR(RateAt({.peak = 4, .decay = Decay::kCosine}, 1, 3), 3, 1e-15);
}

TEST(LearningRateTest, MayWarmUpAllTheWay) {
  const LearningRate rate{
      .peak = 2, .warmup_steps = 4, .decay = Decay::kLinear};
  EXPECT_EQ(RateAt(rate, 2, 2), 1);
  EXPECT_EQ(RateAt(rate, 4, 4), 2);
}

}  // namespace
}  // namespace moeprobe
