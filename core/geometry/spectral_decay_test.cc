#include "core/geometry/spectral_decay.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linalg_lstsq.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

at::Tensor Ranks(int64_t count) {
  return at::arange(1, count + 1, at::kDouble);
}

TEST(SpectralDecayTest, IsTheExponentOfAPowerOfTheRank) {
  const at::Tensor values =
      at::stack({Ranks(16).pow(-0.7) * 3, Ranks(16).pow(-2),
                 at::ones({16}, at::kDouble)});
  const at::Tensor decay = SpectralDecay(values);
  EXPECT_NEAR(decay[0].item<double>(), 0.7, 1e-12);
  EXPECT_NEAR(decay[1].item<double>(), 2, 1e-12);
  EXPECT_NEAR(decay[2].item<double>(), 0, 1e-12);
}

TEST(SpectralDecayTest, IsTheSlopeOfTheLeastSquaresLine) {
  at::manual_seed(1);
  const at::Tensor values =
      std::get<0>(at::rand({4, 9}, at::kDouble).add_(0.1).sort(1, true));
  const at::Tensor design =
      at::stack({at::ones({9}, at::kDouble), Ranks(9).log()}).t();  // [9, 2]
  const at::Tensor line =
      std::get<0>(at::linalg_lstsq(design, values.log().t()));  // [2, 4]
  EXPECT_TRUE(at::allclose(SpectralDecay(values), -line[1]));
}

TEST(SpectralDecayTest, DoesNotDependOnTheScale) {
  const at::Tensor values = Ranks(6).reciprocal().unsqueeze(0);
  EXPECT_NEAR(SpectralDecay(values * 1e-20).item<double>(),
              SpectralDecay(values).item<double>(), 1e-12);
}

TEST(SpectralDecayTest, IsNanWhereThereIsNoLine) {
  EXPECT_TRUE(
      std::isnan(SpectralDecay(at::ones({1, 1}, at::kDouble)).item<double>()));
  EXPECT_TRUE(
      std::isnan(SpectralDecay(at::zeros({1, 5}, at::kDouble)).item<double>()));
  at::Tensor deficient = at::ones({2, 5}, at::kDouble);
  deficient[0][4] = 1e-8;
  const at::Tensor decay = SpectralDecay(deficient);
  EXPECT_TRUE(std::isnan(decay[0].item<double>()));
  EXPECT_EQ(decay[1].item<double>(), 0);
  EXPECT_EQ(SpectralDecay(deficient.slice(0, 0, 0)).size(0), 0);
}

}  // namespace
}  // namespace moeprobe
