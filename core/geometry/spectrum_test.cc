#include "core/geometry/spectrum.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

TEST(EffectiveRankTest, OfEqualEigenvaluesIsTheirNumber) {
  EXPECT_NEAR(EffectiveRank(std::vector<double>{2, 2, 2, 0, 0}), 3, 1e-14);
}

TEST(EffectiveRankTest, IsTheExponentialOfTheEntropy) {
  const double entropy = -0.75 * std::log(0.75) - 0.25 * std::log(0.25);
  EXPECT_NEAR(EffectiveRank(std::vector<double>{3, 1}), std::exp(entropy),
              1e-14);
}

TEST(EffectiveRankTest, DoesNotChangeUnderScaling) {
  EXPECT_NEAR(EffectiveRank(std::vector<double>{5e-9, 3e-9, 1e-9}),
              EffectiveRank(std::vector<double>{5, 3, 1}), 1e-13);
}

TEST(ParticipationRatioTest, IsTheSquaredSumOverTheSumOfSquares) {
  EXPECT_NEAR(ParticipationRatio(std::vector<double>{3, 1}), 16.0 / 10, 1e-14);
  EXPECT_NEAR(ParticipationRatio(std::vector<double>{7, 7, 7, 7}), 4, 1e-14);
}

TEST(EigengapTest, IsRelativeToTheLargestEigenvalue) {
  const std::vector<double> eigenvalues = {8, 6, 2};
  EXPECT_DOUBLE_EQ(Eigengap(eigenvalues, 1), 0.25);
  EXPECT_DOUBLE_EQ(Eigengap(eigenvalues, 2), 0.5);
  EXPECT_DOUBLE_EQ(Eigengap(eigenvalues, 3), 0.25);
}

TEST(ComponentCountsTest, AreTheFewestThatReachEachShare) {
  EXPECT_THAT(ComponentCounts(std::vector<double>{50, 30, 10, 5, 5}),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ComponentCounts(std::vector<double>{96, 4}),
              ElementsAre(1, 1, 1, 1));
}

TEST(SpectrumTest, OfNothingIsNotANumber) {
  const std::vector<double> zeros(4, 0.0);
  EXPECT_TRUE(std::isnan(EffectiveRank(zeros)));
  EXPECT_TRUE(std::isnan(ParticipationRatio(zeros)));
  EXPECT_TRUE(std::isnan(Eigengap(zeros, 2)));
  EXPECT_THAT(ComponentCounts(zeros), ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace moeprobe
