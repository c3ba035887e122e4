#include "core/geometry/grassmann.h"

#include <Eigen/Core>
#include <Eigen/QR>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using Bases = std::vector<std::optional<Eigen::MatrixXd>>;

Eigen::MatrixXd RandomBasis(unsigned seed, int rows, int columns) {
  std::srand(seed);
  const Eigen::MatrixXd x = Eigen::MatrixXd::Random(rows, columns);
  return Eigen::HouseholderQR<Eigen::MatrixXd>(x).householderQ() *
         Eigen::MatrixXd::Identity(rows, columns);
}

TEST(GrassmannDistancesTest, OfOrthogonalSubspacesAreTheMaximum) {
  const Eigen::MatrixXd all = Eigen::MatrixXd::Identity(10, 10);
  const Bases bases = {all.leftCols(5), all.rightCols(5)};
  const auto result = GrassmannDistances(bases);
  ASSERT_TRUE(result.ok()) << result.status();
  // (pi / 2) sqrt(n), the 3.51 of the paper for n = 5.
  EXPECT_NEAR(result->distance(0, 1), std::numbers::pi / 2 * std::sqrt(5.0),
              1e-14);
}

TEST(GrassmannDistancesTest, SumSquaredAngles) {
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(6, 2);
  Eigen::MatrixXd b = Eigen::MatrixXd::Zero(6, 2);
  b(0, 0) = std::cos(0.3);
  b(2, 0) = std::sin(0.3);
  b(1, 1) = std::cos(1.2);
  b(3, 1) = std::sin(1.2);
  const auto result = GrassmannDistances({a, b});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(result->distance(1, 0), std::hypot(0.3, 1.2), 1e-14);
  EXPECT_NEAR(result->angles(1, 0), 0.3, 1e-14);
  EXPECT_NEAR(result->angles(2, 1), 1.2, 1e-14);
}

TEST(GrassmannDistancesTest, DoNotChangeUnderACommonRotation) {
  const Eigen::MatrixXd rotation = RandomBasis(1, 12, 12);
  const Bases bases = {RandomBasis(2, 12, 3), RandomBasis(3, 12, 3),
                       RandomBasis(4, 12, 3)};
  Bases rotated;
  for (const auto& basis : bases) rotated.emplace_back(rotation * *basis);
  const auto before = GrassmannDistances(bases);
  const auto after = GrassmannDistances(rotated);
  ASSERT_TRUE(before.ok() && after.ok());
  // 1e-13: a few roundings of numbers of size 1.
  EXPECT_LT((before->distance - after->distance).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(GrassmannDistancesTest, DependOnTheSpanAlone) {
  const Eigen::MatrixXd a = RandomBasis(5, 9, 3);
  const Eigen::MatrixXd mixed = a * RandomBasis(6, 3, 3);
  const auto result = GrassmannDistances({a, mixed});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_LT(result->distance(0, 1), 1e-14);
}

TEST(GrassmannDistancesTest, OfAnAbsentBasisAreNotNumbers) {
  const auto result = GrassmannDistances(
      {RandomBasis(7, 8, 2), std::nullopt, RandomBasis(8, 8, 2)});
  ASSERT_TRUE(result.ok()) << result.status();
  for (int e = 0; e < 3; ++e) {
    EXPECT_TRUE(std::isnan(result->distance(1, e)));
    EXPECT_TRUE(std::isnan(result->distance(e, 1)));
  }
  EXPECT_FALSE(std::isnan(result->distance(0, 2)));
}

TEST(GrassmannDistancesTest, RejectBasesOfDifferentSpaces) {
  EXPECT_FALSE(
      GrassmannDistances({RandomBasis(9, 8, 2), RandomBasis(9, 7, 2)}).ok());
}

}  // namespace
}  // namespace moeprobe
