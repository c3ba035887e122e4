#include "core/geometry/pair_means.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

at::Tensor Matrix() {
  return at::tensor({9.0, 1.0, 2.0,   //
                     -1.0, 9.0, 6.0,  //
                     -1.0, -1.0, 9.0},
                    at::kDouble)
      .view({3, 3});
}

TEST(PairMeansTest, LeavesOutDiagonalAndLowerTriangle) {
  EXPECT_EQ(MeanOverPairs(Matrix()), 3);
}

TEST(PairMeansTest, LeavesOutWhatIsNoNumber) {
  const at::Tensor matrix = Matrix();
  matrix[0][1] = kNaN;
  EXPECT_EQ(MeanOverPairs(matrix), 4);
  EXPECT_TRUE(std::isnan(MeanOverPairs(matrix * kNaN)));
}

TEST(PairMeansTest, IsNaNWithoutAPair) {
  EXPECT_TRUE(std::isnan(MeanOverPairs(at::ones({1, 1}, at::kDouble))));
}

TEST(PairMeansTest, TakesEachOfManyMatrices) {
  const at::Tensor means =
      MeansOverPairs(Matrix().unsqueeze(0).repeat({2, 1, 1}));
  EXPECT_EQ(means.size(0), 2);
  EXPECT_EQ(means[1].item<double>(), 3);
}

}  // namespace
}  // namespace moeprobe
