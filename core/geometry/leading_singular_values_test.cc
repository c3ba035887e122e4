#include "core/geometry/leading_singular_values.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/logspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/geometry/krylov_batch.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// The maps of `matrices` [n, d', d] float32.
LinearMaps MapsOf(const at::Tensor& matrices) {
  return {
      .count = matrices.size(0),
      .width = matrices.size(2),
      .apply = [=](const at::Tensor& x) { return x.bmm(matrices.mT()); },
      .apply_transposed = [=](const at::Tensor& y) { return y.bmm(matrices); }};
}

// Random matrices with the singular values `values` [count], [n, p, q] float32.
at::Tensor WithSingularValues(const at::Tensor& values, int64_t n, int64_t p,
                              int64_t q) {
  const int64_t count = values.size(0);
  const at::Tensor left =
      std::get<0>(at::linalg_qr(at::randn({n, p, count}, at::kDouble)));
  const at::Tensor right =
      std::get<0>(at::linalg_qr(at::randn({n, q, count}, at::kDouble)));
  return (left * values).bmm(right.mT()).to(at::kFloat);
}

double LargestRelativeError(const at::Tensor& found, const at::Tensor& wanted) {
  return ((found - wanted) / wanted).abs().max().item<double>();
}

class LeadingSingularValuesTest : public testing::Test {
 protected:
  LeadingSingularValuesTest() { at::manual_seed(1); }
};

TEST_F(LeadingSingularValuesTest, EqualThoseOfAFullDecomposition) {
  const at::Tensor matrices = at::randn({3, 500, 420});
  const LeadingSingularValues found =
      FindLeadingSingularValues(MapsOf(matrices), 16, 384, 0);
  const at::Tensor wanted =
      at::linalg_svdvals(matrices.to(at::kDouble)).slice(1, 0, 16);
  EXPECT_LT(LargestRelativeError(found.values, wanted), 1e-4);
  EXPECT_LE(found.error.max().item<double>(), kSingularValueTolerance);
}

TEST_F(LeadingSingularValuesTest, AreThoseTheMatrixWasMadeWith) {
  // Steep: float32 squares of the last would drown in the first's rounding.
  const at::Tensor steep = at::logspace(2, -2, 200, 10, at::kDouble);
  const at::Tensor found =
      FindLeadingSingularValues(MapsOf(WithSingularValues(steep, 2, 300, 400)),
                                16, 384, 0)
          .values;
  EXPECT_LT(LargestRelativeError(found, steep.slice(0, 0, 16).expand({2, 16})),
            1e-5);
}

TEST_F(LeadingSingularValuesTest, FindEveryOneOfEqualValues) {
  const at::Tensor values =
      at::cat({at::full({20}, 3.0, at::kDouble), at::ones({100}, at::kDouble)});
  const at::Tensor found =
      FindLeadingSingularValues(MapsOf(WithSingularValues(values, 1, 400, 400)),
                                24, 384, 0)
          .values;
  EXPECT_LT(LargestRelativeError(found, values.slice(0, 0, 24).unsqueeze(0)),
            1e-4);
}

TEST_F(LeadingSingularValuesTest, AreZeroBehindTheRank) {
  const at::Tensor values = at::ones({5}, at::kDouble);
  const at::Tensor found =
      FindLeadingSingularValues(MapsOf(WithSingularValues(values, 2, 400, 400)),
                                16, 384, 0)
          .values;
  EXPECT_NEAR((found.slice(1, 0, 5) - 1).abs().max().item<double>(), 0, 1e-6);
  EXPECT_LT(found.slice(1, 5).max().item<double>(), 1e-6);
}

TEST_F(LeadingSingularValuesTest, OfZeroAreZeroAndCertain) {
  const LeadingSingularValues found =
      FindLeadingSingularValues(MapsOf(at::zeros({1, 400, 400})), 16, 384, 0);
  EXPECT_EQ(found.values.max().item<double>(), 0);
  EXPECT_EQ(found.error.max().item<double>(), 0);
}

TEST_F(LeadingSingularValuesTest, SayWhereTheyHaveNotConverged) {
  const at::Tensor matrices = at::randn({1, 600, 600});
  const LeadingSingularValues found =
      FindLeadingSingularValues(MapsOf(matrices), 16, 64, 0);
  const at::Tensor wanted =
      at::linalg_svdvals(matrices.to(at::kDouble)).slice(1, 0, 16);
  EXPECT_GT(found.error.item<double>(), kSingularValueTolerance);
  EXPECT_LT(LargestRelativeError(found.values, wanted),
            found.error.item<double>());
}

TEST_F(LeadingSingularValuesTest, DependOnNothingButTheSeed) {
  const at::Tensor matrices = at::randn({4, 450, 450});
  const auto find = [&](const at::Tensor& batch) {
    return FindLeadingSingularValues(MapsOf(batch), 16, 384, 7).values;
  };
  const at::Tensor once = find(matrices);
  EXPECT_TRUE(once.equal(find(matrices)));
  EXPECT_LT(LargestRelativeError(find(matrices.flip(0)).flip(0), once), 1e-6);
}

TEST_F(LeadingSingularValuesTest, RefuseMoreThanTheSpaceHolds) {
  EXPECT_ANY_THROW(
      FindLeadingSingularValues(MapsOf(at::randn({1, 50, 50})), 40, 50, 0));
  EXPECT_ANY_THROW(
      FindLeadingSingularValues(MapsOf(at::randn({1, 50, 50})), 0, 50, 0));
}

TEST_F(LeadingSingularValuesTest, AllOfThemComeDescendingFromEachMatrix) {
  const at::Tensor matrices = at::randn({5, 7, 4}, at::kDouble);
  EXPECT_TRUE(
      at::allclose(AllSingularValues(matrices), at::linalg_svdvals(matrices)));
  EXPECT_EQ(AllSingularValues(matrices.slice(0, 0, 0)).size(0), 0);
}

}  // namespace
}  // namespace moeprobe
