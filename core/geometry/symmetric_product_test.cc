#include "core/geometry/symmetric_product.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// Less than a panel, one, one and a bit, several.
class SymmetricProductTest : public testing::TestWithParam<int64_t> {
 protected:
  SymmetricProductTest() { at::manual_seed(3); }
};

TEST_P(SymmetricProductTest, IsTheWholeProductOnceMirrored) {
  const at::Tensor x = at::randn({7, GetParam()}, at::kDouble);
  const at::Tensor y = at::randn({4, GetParam()}, at::kDouble);
  const at::Tensor sum = at::zeros({GetParam(), GetParam()}, at::kDouble);
  AddSymmetricProduct(x, sum);
  AddSymmetricProduct(y, sum);
  MirrorUpperTriangle(sum);
  const at::Tensor expected = x.t().mm(x) + y.t().mm(y);
  // 1e-13: sums of eleven terms of order ten.
  EXPECT_LT((sum - expected).abs().max().item<double>(), 1e-13);
  EXPECT_TRUE(sum.equal(sum.t()));
}

INSTANTIATE_TEST_SUITE_P(Widths, SymmetricProductTest,
                         testing::Values(1, 255, 256, 257, 600));

}  // namespace
}  // namespace moeprobe
