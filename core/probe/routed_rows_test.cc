#include "core/probe/routed_rows.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <tuple>

#include "core/geometry/principal_components.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 90;
constexpr int64_t kWidth = 12;

// The covariance of eq. 7 to the letter: every row written out, in float64.
at::Tensor NaiveCovariance(const at::Tensor& h, const ExpertTokens& routed,
                           Convention convention) {
  const at::Tensor g = routed.gates.to(at::kDouble).unsqueeze(1);
  const at::Tensor x = h.index_select(0, routed.tokens).to(at::kDouble);
  if (convention == Convention::kSampleWeighted) {
    const at::Tensor mean = (g * x).sum(0) / g.sum();
    return (g * (x - mean)).t().mm(x - mean) / g.sum();
  }
  at::Tensor rows = g * x;
  if (convention == Convention::kAllTokens) {
    rows = at::zeros({h.size(0), kWidth}, at::kDouble)
               .index_copy_(0, routed.tokens, rows);
  }
  const at::Tensor centred = rows - rows.mean(0);
  return centred.t().mm(centred) / static_cast<double>(rows.size(0) - 1);
}

class RoutedRowsTest
    : public testing::TestWithParam<std::tuple<Convention, int64_t>> {
 protected:
  RoutedRowsTest() {
    at::manual_seed(5);
    h_ = at::randn({kTokens, kWidth}) + 2;
    const int64_t count = std::get<1>(GetParam());
    routed_ = {.tokens = at::randn({kTokens}).argsort().slice(0, 0, count),
               .gates = at::rand({count}) * 0.9 + 0.1};
    routed_.tokens = std::get<0>(routed_.tokens.sort());
  }
  at::Tensor h_;
  ExpertTokens routed_;
};

TEST_P(RoutedRowsTest, HaveTheCovarianceOfTheirConvention) {
  const Convention convention = std::get<0>(GetParam());
  const PrincipalComponents found =
      FindPrincipalComponents(RoutedRows(h_, routed_, kTokens, convention), 4);
  const auto [values, vectors] =
      at::linalg_eigh(NaiveCovariance(h_, routed_, convention));
  const at::Tensor expected = values.flip(0);
  EXPECT_LT((found.eigenvalues - expected).abs().max().item<double>(),
            1e-13 * expected[0].item<double>());
  const at::Tensor basis = vectors.flip(1).slice(1, 0, 4);
  const at::Tensor outside = basis - found.basis.mm(found.basis.t().mm(basis));
  EXPECT_LT(outside.norm().item<double>(), 1e-10);
}

INSTANTIATE_TEST_SUITE_P(
    ConventionsAndCounts, RoutedRowsTest,
    testing::Combine(testing::Values(Convention::kRouted,
                                     Convention::kAllTokens,
                                     Convention::kSampleWeighted),
                     // Fewer tokens than dimensions, more, and all there are.
                     testing::Values(7, 11, 12, 40, kTokens)));

TEST(ReferenceRowsTest, HaveThePlainCovariance) {
  at::manual_seed(6);
  const at::Tensor h = at::randn({5000, 6});
  const at::Tensor x = h.to(at::kDouble) - h.to(at::kDouble).mean(0);
  const at::Tensor expected =
      std::get<0>(at::linalg_eigh(x.t().mm(x) / 4999.0)).flip(0);
  EXPECT_LT(
      (FindPrincipalComponents(ReferenceRows(h), 2).eigenvalues - expected)
          .abs()
          .max()
          .item<double>(),
      1e-13);
}

}  // namespace
}  // namespace moeprobe
