#include "core/geometry/subspace_means.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "core/geometry/grassmann.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

at::Tensor RandomBases(int64_t count, int64_t width, int64_t size) {
  return std::get<0>(
      at::linalg_qr(at::randn({count, width, size}, at::kDouble)));
}

Eigen::MatrixXd ToEigen(const at::Tensor& basis) {
  const at::Tensor columns = basis.t().contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(columns.const_data_ptr<double>(),
                                           basis.size(0), basis.size(1));
}

class SubspaceMeansTest : public testing::Test {
 protected:
  SubspaceMeansTest() { at::manual_seed(8); }
};

TEST_F(SubspaceMeansTest, AreThoseOfTheExactDistances) {
  const at::Tensor bases = RandomBases(5, 12, 3);
  std::vector<std::optional<Eigen::MatrixXd>> each;
  for (int64_t e = 0; e < 5; ++e) each.emplace_back(ToEigen(bases[e]));
  const Eigen::MatrixXd exact = GrassmannDistances(each)->distance;
  const at::Tensor cross = CrossDistances(bases, bases);
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 5; ++j) {
      EXPECT_NEAR(cross[i][j].item<double>(), exact(i, j), 1e-12);
    }
  }
  EXPECT_NEAR(MeanPairDistance(bases), exact.sum() / 20, 1e-12);
}

TEST_F(SubspaceMeansTest, AreZeroForOneSubspaceAndLargestForOrthogonalOnes) {
  const at::Tensor base = RandomBases(1, 10, 2);
  const at::Tensor turned = base.matmul(RandomBases(1, 2, 2));
  EXPECT_EQ(CrossDistances(base, turned).item<double>(), 0);
  const at::Tensor axes = at::eye(4, at::kDouble);
  EXPECT_NEAR(
      MeanPairDistance(at::stack({axes.slice(1, 0, 2), axes.slice(1, 2, 4)})),
      std::acos(-1.0) / 2 * std::sqrt(2.0), 1e-12);
}

TEST_F(SubspaceMeansTest, AreNaNWithoutAPair) {
  EXPECT_TRUE(std::isnan(MeanPairDistance(RandomBases(1, 6, 2))));
}

TEST_F(SubspaceMeansTest, OfRandomLinesHaveTheirKnownMean) {
  // In the plane the angle between two lines is uniform on [0, pi / 2].
  const double quarter = std::acos(-1.0) / 2;
  const at::Tensor found = RandomSubspaceDistance(2, 1, 4000, 0);
  // Five standard errors.
  EXPECT_NEAR(found[0].item<double>(), quarter / 2,
              5 * quarter / std::sqrt(12.0 * 4000));
  EXPECT_NEAR(found[1].item<double>(), quarter / std::sqrt(12.0), 0.02);
}

TEST_F(SubspaceMeansTest, OfRandomSubspacesOfManyDimensionsAreNearlyRight) {
  const at::Tensor found = RandomSubspaceDistance(2048, 5, 50, 0);
  EXPECT_GT(found[0].item<double>(), 3.3);  // the largest is 3.51
  EXPECT_LT(found[0].item<double>(), 3.51);
}

}  // namespace
}  // namespace moeprobe
