#include "client/result/difference.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// Draws around `mean`, each a common part and one of its own.
struct Sample {
  explicit Sample(unsigned seed) : random(seed) {}

  std::vector<double> Normal(int count, double mean, double deviation) {
    std::normal_distribution<double> normal(mean, deviation);
    std::vector<double> draws;
    for (int i = 0; i < count; ++i) draws.push_back(normal(random));
    return draws;
  }

  std::mt19937 random;
};

TEST(DifferenceTest, IsNothingBetweenAMeanAndItself) {
  const DrawnMean mean{.mean = 2, .draws = Sample(1).Normal(200, 2, 0.5)};
  const Difference difference = Subtract(mean, mean, true);
  EXPECT_EQ(difference.value, 0);
  EXPECT_EQ(difference.low, 0);
  EXPECT_EQ(difference.high, 0);
  EXPECT_EQ(difference.p, 1);
  EXPECT_TRUE(difference.paired);
}

TEST(DifferenceTest, HasQuantilesOfCentredDraws) {
  // Differences 1, 2, 3 centre to -1, 0, 1 around the observed 10.
  const Difference difference = Subtract(
      {.mean = 0, .draws = {0, 0, 0}}, {.mean = 10, .draws = {1, 2, 3}}, true);
  EXPECT_EQ(difference.value, 10);
  EXPECT_DOUBLE_EQ(*difference.low, 9.05);  // numpy.quantile's 2.5 %
  EXPECT_DOUBLE_EQ(*difference.high, 10.95);
  EXPECT_DOUBLE_EQ(*difference.p, 0.5);  // 2 (1 + 0) / (1 + 3)
}

TEST(DifferenceTest, IsMoreCertainWhereWindowsAreTheSame) {
  Sample sample(2);
  const std::vector<double> common = sample.Normal(400, 0, 1);
  DrawnMean a{.mean = 5, .draws = sample.Normal(400, 5, 0.1)};
  DrawnMean b{.mean = 5.5, .draws = sample.Normal(400, 5.5, 0.1)};
  for (size_t i = 0; i < common.size(); ++i) {
    a.draws[i] += common[i];
    b.draws[i] += common[i];
  }
  const Difference paired = Subtract(a, b, true);
  const Difference independent = Subtract(a, b, false);
  EXPECT_GT(*paired.low, 0);
  EXPECT_LT(*paired.p, 0.02);
  EXPECT_LT(*independent.low, 0);
  EXPECT_GT(*independent.p, 0.2);
  EXPECT_FALSE(independent.paired);
}

TEST(DifferenceTest, OfIndependentMeansHasTheSumOfTheirVariances) {
  Sample sample(3);
  const DrawnMean a{.mean = 1, .draws = sample.Normal(500, 1, 3)};
  const DrawnMean b{.mean = 1, .draws = sample.Normal(500, 1, 4)};
  const Difference difference = Subtract(a, b, false);
  // 1.96 * sqrt(9 + 16); 500 draws know a deviation to about 3 %.
  EXPECT_NEAR(*difference.high, 9.8, 1.0);
  EXPECT_NEAR(*difference.low, -9.8, 1.0);
}

TEST(DifferenceTest, TakesDifferentNumbersOfDrawsForIndependent) {
  const Difference difference = Subtract({.mean = 0, .draws = {0, 1}},
                                         {.mean = 0, .draws = {0, 1, 2}}, true);
  EXPECT_FALSE(difference.paired);
  EXPECT_TRUE(difference.low.has_value());
}

TEST(DifferenceTest, HasAPValueOfNoMoreThanItsDraws) {
  Sample sample(4);
  const DrawnMean a{.mean = 0, .draws = sample.Normal(99, 0, 1)};
  const DrawnMean b{.mean = 100, .draws = sample.Normal(99, 100, 1)};
  EXPECT_DOUBLE_EQ(*Subtract(a, b, false).p, 0.02);
  EXPECT_DOUBLE_EQ(*Subtract(a, b, true).p, 0.02);
}

TEST(DifferenceTest, ChangesItsSignWithItsSides) {
  Sample sample(5);
  const DrawnMean a{.mean = 1, .draws = sample.Normal(101, 1, 1)};
  const DrawnMean b{.mean = 2, .draws = sample.Normal(101, 2, 1)};
  const Difference forth = Subtract(a, b, true);
  const Difference back = Subtract(b, a, true);
  EXPECT_EQ(forth.value, -back.value);
  EXPECT_NEAR(*forth.low, -*back.high, 1e-12);  // rounding of a sum
  EXPECT_EQ(forth.p, back.p);
}

TEST(DifferenceTest, HasNoIntervalWithoutDraws) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const DrawnMean bare{.mean = 1, .draws = {}};
  const DrawnMean drawn{.mean = 3, .draws = {2, 3, 4}};
  const DrawnMean undefined{.mean = 3, .draws = {nan, nan, nan}};
  EXPECT_EQ(Subtract(bare, drawn, true).value, 2);
  EXPECT_FALSE(Subtract(bare, drawn, false).low.has_value());
  EXPECT_FALSE(Subtract(undefined, drawn, true).p.has_value());
  EXPECT_TRUE(
      std::isnan(Subtract({.mean = nan, .draws = {1, 2}}, drawn, false).value));
}

TEST(DifferenceTest, LeavesOutDrawsThatAreNoNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Difference difference =
      Subtract({.mean = 0, .draws = {0, nan, 0, 0}},
               {.mean = 2, .draws = {1, 7, 2, 3}}, true);
  EXPECT_DOUBLE_EQ(*difference.low, 1.05);
  EXPECT_DOUBLE_EQ(*difference.high, 2.95);
}

}  // namespace
}  // namespace moeprobe
