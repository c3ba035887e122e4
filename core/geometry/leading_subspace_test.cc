#include "core/geometry/leading_subspace.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <tuple>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// |A'B|^2 / count for orthonormal A, B: 1 where they span the same.
double Overlap(const at::Tensor& a, const at::Tensor& b) {
  return a.t().mm(b).square().sum().item<double>() /
         static_cast<double>(a.size(1));
}

class LeadingSubspaceTest : public testing::Test {
 protected:
  LeadingSubspaceTest() { at::manual_seed(4); }

  // Compares with the right singular vectors of `x` [rows, d].
  static void ExpectThatOf(const at::Tensor& x, int64_t count,
                           double tolerance) {
    const auto [u, s, vh] = at::linalg_svd(x, /*full_matrices=*/false);
    const LeadingSubspace found = FindLeadingSubspace(x.t().mm(x), count);
    const at::Tensor squares = s.square();
    const double energy =
        (squares.narrow(0, 0, count).sum() / squares.sum()).item<double>();
    EXPECT_NEAR(Overlap(found.basis, vh.narrow(0, 0, count).t()), 1, tolerance);
    EXPECT_NEAR(found.energy, energy, tolerance * energy);
    EXPECT_LE(found.energy, energy * (1 + 1e-12));  // Courant-Fischer
    EXPECT_LE(found.residual, kSubspaceTolerance);
    EXPECT_LT((found.basis.t().mm(found.basis) - at::eye(count, at::kDouble))
                  .abs()
                  .max()
                  .item<double>(),
              1e-12);
  }
};

TEST_F(LeadingSubspaceTest, IsExactWhereItIsNarrow) {
  ExpectThatOf(at::randn({90, 60}, at::kDouble), 9, 1e-10);
}

TEST_F(LeadingSubspaceTest, IsThatOfARankDeficientMatrix) {
  ExpectThatOf(at::randn({20, 60}, at::kDouble), 20, 1e-10);
}

// The hardest case: a random matrix has no gap anywhere. The last of the
// vectors is mixed with its neighbours.
TEST_F(LeadingSubspaceTest, IsCloseWhereItIsWideWithoutAnyGap) {
  ExpectThatOf(at::randn({700, 520}, at::kDouble), 8, 2e-2);
}

TEST_F(LeadingSubspaceTest, IsPreciseWhereThereIsAGap) {
  const at::Tensor x = at::randn({700, 520}, at::kDouble);
  x.slice(1, 0, 8).mul_(3);
  ExpectThatOf(x, 8, 1e-5);
}

TEST_F(LeadingSubspaceTest, OfEverythingIsEverything) {
  const at::Tensor x = at::randn({30, 12}, at::kDouble);
  const LeadingSubspace found = FindLeadingSubspace(x.t().mm(x), 12);
  EXPECT_NEAR(found.energy, 1, 1e-12);
}

TEST_F(LeadingSubspaceTest, OfAZeroMatrixHasNoEnergy) {
  EXPECT_TRUE(std::isnan(
      FindLeadingSubspace(at::zeros({8, 8}, at::kDouble), 2).energy));
}

TEST_F(LeadingSubspaceTest, GivesTheSameBytes) {
  const at::Tensor x = at::randn({540, 520}, at::kDouble);
  const at::Tensor gram = x.t().mm(x);
  EXPECT_TRUE(FindLeadingSubspace(gram, 10).basis.equal(
      FindLeadingSubspace(gram, 10).basis));
}

}  // namespace
}  // namespace moeprobe
