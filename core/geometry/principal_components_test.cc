#include "core/geometry/principal_components.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <tuple>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

class PrincipalComponentsTest : public testing::TestWithParam<int64_t> {
 protected:
  PrincipalComponentsTest() { at::manual_seed(7); }
};

CentredRows Centred(const at::Tensor& h) {
  const int64_t count = h.size(0);
  return {.h = h,
          .scale = at::ones({count}, at::kDouble),
          .centre_scale = at::ones({count}, at::kDouble),
          .centre = h.to(at::kDouble).mean(0),
          .divisor = static_cast<double>(count - 1)};
}

double Distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// Sine of the largest angle between two spans.
double SpanDistance(const at::Tensor& a, const at::Tensor& b) {
  return (b - a.mm(a.t().mm(b))).norm().item<double>();
}

// Fewer rows than dimensions, as many, and more: both sides of the problem.
TEST_P(PrincipalComponentsTest, AgreesWithASingularValueDecomposition) {
  const at::Tensor h = at::randn({GetParam(), 20}) + 3;
  const PrincipalComponents result = FindPrincipalComponents(Centred(h), 4);

  const at::Tensor x = h.to(at::kDouble) - h.to(at::kDouble).mean(0);
  const auto [u, s, v] = at::linalg_svd(x, /*full_matrices=*/false);
  const at::Tensor expected = s.square() / static_cast<double>(GetParam() - 1);
  const int64_t rank = expected.size(0);
  // 1e-13: squaring the matrix costs half the digits of the smallest values,
  // none of them relative to the largest.
  EXPECT_LT(Distance(result.eigenvalues.slice(0, 0, rank), expected),
            1e-13 * expected[0].item<double>());
  EXPECT_EQ(result.eigenvalues.size(0), 20);
  EXPECT_LT(SpanDistance(v.slice(0, 0, 4).t(), result.basis), 1e-9);
}

TEST_P(PrincipalComponentsTest, HasAnOrthonormalBasis) {
  const PrincipalComponents result =
      FindPrincipalComponents(Centred(at::randn({GetParam(), 20})), 5);
  EXPECT_LT(
      Distance(result.basis.t().mm(result.basis), at::eye(5, at::kDouble)),
      1e-13);
}

TEST_P(PrincipalComponentsTest, SumsToTheTotalVariance) {
  const at::Tensor h = at::randn({GetParam(), 20});
  const PrincipalComponents result = FindPrincipalComponents(Centred(h), 2);
  const double variance = h.to(at::kDouble).var(0).sum().item<double>();
  EXPECT_NEAR(result.eigenvalues.sum().item<double>(), variance,
              1e-12 * variance);
}

INSTANTIATE_TEST_SUITE_P(RowCounts, PrincipalComponentsTest,
                         testing::Values(6, 19, 20, 21, 5000));

TEST_F(PrincipalComponentsTest, SurviveAMeanThatDwarfsTheVariance) {
  const at::Tensor noise = at::randn({300, 8}, at::kDouble).to(at::kFloat);
  const at::Tensor far = (noise * 1e-2F + 100.0F);
  const PrincipalComponents result = FindPrincipalComponents(Centred(far), 2);
  const at::Tensor x = far.to(at::kDouble) - far.to(at::kDouble).mean(0);
  const at::Tensor s = std::get<1>(at::linalg_svd(x, false));
  EXPECT_LT(Distance(result.eigenvalues, s.square() / 299),
            1e-13 * result.eigenvalues[0].item<double>());
}

TEST_F(PrincipalComponentsTest, CountAnExtraRow) {
  const at::Tensor h = at::randn({7, 12});
  CentredRows rows = Centred(h.slice(0, 0, 6));
  rows.centre = at::zeros({12}, at::kDouble);
  rows.extra_row = h[6].to(at::kDouble);
  CentredRows whole = Centred(h);
  whole.centre = at::zeros({12}, at::kDouble);
  whole.divisor = rows.divisor;
  EXPECT_LT(Distance(FindPrincipalComponents(rows, 3).eigenvalues,
                     FindPrincipalComponents(whole, 3).eigenvalues),
            1e-12);
}

TEST_F(PrincipalComponentsTest, OfConstantRowsAreZero) {
  const PrincipalComponents result =
      FindPrincipalComponents(Centred(at::ones({30, 6})), 2);
  EXPECT_EQ(result.eigenvalues.abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace moeprobe
