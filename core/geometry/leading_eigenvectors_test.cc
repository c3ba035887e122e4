#include "core/geometry/leading_eigenvectors.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <tuple>

#include "core/geometry/krylov_space.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kSize = 700;  // large enough for the Krylov space

at::Tensor RandomRotation() {
  at::manual_seed(11);
  return std::get<0>(at::linalg_qr(at::randn({kSize, kSize}, at::kDouble)));
}

// A matrix with these eigenvalues, descending, and eigenvectors `q`.
at::Tensor WithSpectrum(const at::Tensor& q, const at::Tensor& eigenvalues) {
  const at::Tensor matrix = (q * eigenvalues).mm(q.t());
  return (matrix + matrix.t()) / 2;
}

double LargestEntry(const at::Tensor& difference) {
  return difference.abs().max().item<double>();
}

// Largest |A v - lambda v| over the columns v.
double Residual(const at::Tensor& matrix, const at::Tensor& eigenvalues,
                const at::Tensor& vectors) {
  const at::Tensor leading = eigenvalues.narrow(0, 0, vectors.size(1));
  return (matrix.mm(vectors) - vectors * leading)
      .norm(2, 0)
      .max()
      .item<double>();
}

// Sine of the largest angle between two spans.
double SpanDistance(const at::Tensor& a, const at::Tensor& b) {
  return (b - a.mm(a.t().mm(b))).norm().item<double>();
}

at::Tensor PowerLaw() {
  return at::arange(1, kSize + 1, at::kDouble).pow(-1.5);
}

TEST(LeadingEigenvectorsTest, AreThoseTheMatrixWasMadeOf) {
  const at::Tensor q = RandomRotation();
  const at::Tensor matrix = WithSpectrum(q, PowerLaw());
  const at::Tensor found = LeadingEigenvectors(matrix, PowerLaw(), 5);
  EXPECT_EQ(found.size(1), 5);
  // Each up to its sign. 1e-9: residuals of 1e-12 over gaps of 0.01.
  const at::Tensor overlap = q.narrow(1, 0, 5).t().mm(found).abs();
  EXPECT_LT(LargestEntry(overlap - at::eye(5, at::kDouble)), 1e-9);
}

TEST(LeadingEigenvectorsTest, AgreeWithAFullDecomposition) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({kSize, 900}, at::kDouble);
  const at::Tensor matrix = x.mm(x.t());
  const auto [values, vectors] = at::linalg_eigh(matrix);
  const at::Tensor found = LeadingEigenvectors(matrix, values.flip(0), 4);
  const at::Tensor expected = vectors.narrow(1, kSize - 4, 4);
  EXPECT_LT(SpanDistance(expected, found), 1e-9);
  EXPECT_LT(LargestEntry(found.t().mm(found) - at::eye(4, at::kDouble)), 1e-13);
  EXPECT_LT(Residual(matrix, values.flip(0), found),
            2e-12 * values[kSize - 1].item<double>());
}

TEST(LeadingEigenvectorsTest, SurviveOneEigenvalueThatDwarfsTheOthers) {
  const at::Tensor q = RandomRotation();
  const at::Tensor eigenvalues = PowerLaw();
  eigenvalues[0] = 1e6;
  const at::Tensor found =
      LeadingEigenvectors(WithSpectrum(q, eigenvalues), eigenvalues, 3);
  // 1e-5: a residual of 1e-12 of 1e6 over a gap of 0.07.
  EXPECT_LT(SpanDistance(q.narrow(1, 0, 3), found), 1e-5);
}

// More equal eigenvalues than a block has vectors.
TEST(LeadingEigenvectorsTest, OfEqualEigenvaluesAreSomeOfTheirSpan) {
  const at::Tensor q = RandomRotation();
  const at::Tensor eigenvalues = PowerLaw();
  eigenvalues.narrow(0, 0, 30).fill_(2);
  const at::Tensor matrix = WithSpectrum(q, eigenvalues);
  const at::Tensor found = LeadingEigenvectors(matrix, eigenvalues, 5);
  EXPECT_LT(Residual(matrix, eigenvalues, found), 1e-11);
  EXPECT_LT(SpanDistance(q.narrow(1, 0, 30), found), 1e-10);
}

TEST(LeadingEigenvectorsTest, OfALowRankMatrixStayOrthonormal) {
  at::manual_seed(2);
  const at::Tensor u = at::randn({kSize, 3}, at::kDouble);
  const at::Tensor matrix = u.mm(u.t());
  const at::Tensor values = std::get<0>(at::linalg_eigh(matrix)).flip(0);
  const at::Tensor found = LeadingEigenvectors(matrix, values, 5);
  EXPECT_LT(LargestEntry(found.t().mm(found) - at::eye(5, at::kDouble)), 1e-12);
  EXPECT_LT(SpanDistance(found.narrow(1, 0, 3), u) / u.norm().item<double>(),
            1e-12);
}

TEST(LeadingEigenvectorsTest, OfZeroAreAnyOrthonormalVectors) {
  const at::Tensor found =
      LeadingEigenvectors(at::zeros({kSize, kSize}, at::kDouble),
                          at::zeros({kSize}, at::kDouble), 2);
  EXPECT_LT(LargestEntry(found.t().mm(found) - at::eye(2, at::kDouble)), 1e-13);
}

// Wrong eigenvalues stand for a space that converged to the wrong vectors.
TEST(LeadingEigenvectorsTest, FallBackWhereTheEigenvaluesDisagree) {
  const at::Tensor q = RandomRotation();
  const at::Tensor matrix = WithSpectrum(q, PowerLaw());
  const at::Tensor found = LeadingEigenvectors(matrix, PowerLaw() + 0.1, 3);
  EXPECT_LT(SpanDistance(q.narrow(1, 0, 3), found), 1e-10);
}

TEST(LeadingEigenvectorsTest, AreTheSameBytesAgain) {
  const at::Tensor matrix = WithSpectrum(RandomRotation(), PowerLaw());
  const at::Tensor once = LeadingEigenvectors(matrix, PowerLaw(), 5);
  at::manual_seed(99);
  EXPECT_TRUE(once.equal(LeadingEigenvectors(matrix, PowerLaw(), 5)));
}

TEST(LeadingEigenvectorsTest, OfASmallMatrixComeFromAFullDecomposition) {
  const at::Tensor matrix = at::full({3, 3}, 1, at::kDouble);
  const at::Tensor found =
      LeadingEigenvectors(matrix, at::zeros({3}, at::kDouble), 1);
  EXPECT_LT(LargestEntry(found.abs() - std::sqrt(1.0 / 3)), 1e-14);
}

// The residual a space reports is the true one.
TEST(KrylovSpaceTest, KnowsItsResiduals) {
  const at::Tensor matrix = WithSpectrum(RandomRotation(), PowerLaw());
  KrylovSpace space(matrix, 6, 60);
  for (int i = 0; i < 3; ++i) space.Grow();
  const RitzVectors found = space.Leading(4);
  const at::Tensor image = found.vectors.mm(matrix);
  const at::Tensor theta = (image * found.vectors).sum(1, /*keepdim=*/true);
  const at::Tensor residual = (image - found.vectors * theta).norm(2, 1);
  EXPECT_GT(found.largest_residual, 1e-8);  // not converged yet
  EXPECT_NEAR(residual.max().item<double>(), found.largest_residual, 1e-13);
}

}  // namespace
}  // namespace moeprobe
