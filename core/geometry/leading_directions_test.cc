#include "core/geometry/leading_directions.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

class LeadingDirectionsTest : public testing::Test {
 protected:
  LeadingDirectionsTest() { at::manual_seed(4); }

  // Rows whose scale falls by a factor e every six dimensions.
  static at::Tensor Rows(int64_t count, int64_t width) {
    return at::randn({count, width}) *
           (at::arange(width, at::kFloat) * (-1 / 6.0)).exp();
  }
};

TEST_F(LeadingDirectionsTest, AreOrthonormalAndHoldWhatTheBestOnesHold) {
  const at::Tensor rows = Rows(300, 80);
  const at::Tensor basis = LeadingDirections(rows, 20);
  EXPECT_LT((basis.t().mm(basis) - at::eye(20)).abs().max().item<float>(),
            1e-6);
  const auto [u, s, v] = at::linalg_svd(rows, /*full_matrices=*/false);
  const double best = s.slice(0, 0, 20).square().sum().item<double>();
  EXPECT_GT(rows.mm(basis).square().sum().item<double>(), best * (1 - 1e-5));
}

TEST_F(LeadingDirectionsTest, AreTheIdentityWhereAllAreWanted) {
  EXPECT_TRUE(LeadingDirections(Rows(30, 9), 9).equal(at::eye(9)));
}

TEST_F(LeadingDirectionsTest, AreTheSameEveryTime) {
  const at::Tensor rows = Rows(100, 40);
  EXPECT_TRUE(LeadingDirections(rows, 10).equal(LeadingDirections(rows, 10)));
}

TEST_F(LeadingDirectionsTest, OfEqualRowsAreFinite) {
  EXPECT_TRUE(
      LeadingDirections(at::ones({50, 40}), 10).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace moeprobe
