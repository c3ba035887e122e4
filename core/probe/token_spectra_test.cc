#include "core/probe/token_spectra.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/geometry/leading_singular_values.h"
#include "core/model/mlp.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/token_jacobians.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// All singular values of the Jacobians that autograd finds, [n, d].
at::Tensor ByAutograd(const ExpertFixture& expert, const at::Tensor& x) {
  std::vector<at::Tensor> values;
  values.reserve(static_cast<size_t>(x.size(0)));
  for (int64_t t = 0; t < x.size(0); ++t) {
    values.push_back(at::linalg_svdvals(expert.JacobianByAutograd(x[t])));
  }
  return at::stack(values);
}

double LargestRelativeError(const at::Tensor& found, const at::Tensor& wanted) {
  return ((found - wanted) / wanted).abs().max().item<double>();
}

class TokenSpectraTest : public testing::Test {
 protected:
  TokenSpectraTest() { at::manual_seed(4); }
};

TEST_F(TokenSpectraTest, OfOneNeuronIsKnown) {
  // J = w_d (silu'(g) u w_g + silu(g) w_u)': one singular value.
  ExpertFixture expert(3, 1);
  const at::Tensor x = at::randn({1, 3});
  const auto g = expert.gate.mv(x[0]).item<double>();
  const auto u = expert.up.mv(x[0]).item<double>();
  const double s = 1 / (1 + std::exp(-g));
  const at::Tensor row =
      expert.gate * (s * (1 + g * (1 - s)) * u) + expert.up * (g * s);
  const auto wanted =
      (row.norm() * expert.down.norm()).to(at::kDouble).item<double>();
  const JacobianSpectra spectra = SpectraAtTokens(expert.Tensors(), x, 16, 0);
  ASSERT_EQ(spectra.values.numel(), 1);
  EXPECT_NEAR(spectra.values.item<double>() / wanted, 1, 1e-6);
  EXPECT_NEAR(spectra.norm_squared.item<double>() / wanted / wanted, 1, 1e-6);
}

TEST_F(TokenSpectraTest, OfOneNeuronWithoutAGateIsKnown) {
  // J = w_2 gelu'(z) w_1'.
  ExpertFixture expert(3, 1, ExpertKind::kGeluMlp);
  const at::Tensor x = at::randn({1, 3});
  const auto z = (expert.gate.mv(x[0]) + expert.gate_bias).item<double>();
  const double slope =
      (1 + std::erf(z / std::sqrt(2))) / 2 +
      z * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
  const auto wanted =
      (expert.gate.norm() * expert.down.norm()).item<double>() * slope;
  const JacobianSpectra spectra = SpectraAtTokens(expert.Tensors(), x, 16, 0);
  EXPECT_NEAR(spectra.values.item<double>(), std::abs(wanted), 1e-6);
}

class SpectraOfKindTest : public testing::TestWithParam<ExpertKind> {
 protected:
  SpectraOfKindTest() { at::manual_seed(4); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, SpectraOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(SpectraOfKindTest, EqualThoseOfAutogradWhateverIsWider) {
  for (const auto& [width, hidden] : {std::pair(12, 7), std::pair(9, 31)}) {
    const ExpertFixture expert(width, hidden, GetParam());
    const at::Tensor x = at::randn({4, width});
    const at::Tensor wanted =
        ByAutograd(expert, x).slice(1, 0, std::min(width, hidden));
    const JacobianSpectra all = SpectraAtTokens(expert.Tensors(), x, 64, 0);
    EXPECT_LT(LargestRelativeError(all.values, wanted), 1e-6);
    EXPECT_LT(LargestRelativeError(all.norm_squared, wanted.square().sum(1)),
              1e-6);
    const JacobianSpectra top = SpectraAtTokens(expert.Tensors(), x, 5, 0);
    EXPECT_LT(LargestRelativeError(top.values, wanted.slice(1, 0, 5)), 1e-6);
    EXPECT_LT(LargestRelativeError(top.norm_squared, all.norm_squared), 1e-12);
  }
}

// Whichever way is cheaper; more tokens than go together.
TEST_P(SpectraOfKindTest, OfWideExpertsEqualThoseOfFullDecompositions) {
  const int64_t top = 2, tokens = 17;
  for (const auto& [width, hidden] :
       {std::pair(200, 230), std::pair(600, 170)}) {
    ASSERT_GT(std::min(width, hidden), KrylovDimensions(top));
    const ExpertFixture expert(width, hidden, GetParam());
    const MlpTensors tensors = expert.Tensors();
    EXPECT_EQ(AreBuilt(tensors, tokens), width == 200);
    const at::Tensor x = at::randn({tokens, width});
    const at::Tensor wanted = ByAutograd(expert, x);
    const JacobianSpectra spectra = SpectraAtTokens(tensors, x, top, 0);
    EXPECT_LT(LargestRelativeError(spectra.values, wanted.slice(1, 0, top)),
              1e-4);
    EXPECT_LT(
        LargestRelativeError(spectra.norm_squared, wanted.square().sum(1)),
        1e-6);
    EXPECT_LE(spectra.error.max().item<double>(), kSingularValueTolerance);
    EXPECT_GT(spectra.error.max().item<double>(), 0);
  }
}

TEST_F(TokenSpectraTest, AreBuiltWhereThatIsCheaper) {
  const auto views = [](int64_t width, int64_t hidden) {
    MlpTensors tensors;
    tensors.gate.shape = {hidden, width};
    tensors.up = tensors.gate;
    return tensors;
  };
  EXPECT_TRUE(AreBuilt(views(4096, 14336), 8));
  EXPECT_FALSE(AreBuilt(views(4096, 14336), 64));
  EXPECT_TRUE(AreBuilt(views(2048, 1408), 1));
  EXPECT_FALSE(AreBuilt(views(2048, 1408), 8));
}

TEST_F(TokenSpectraTest, DoNotChangeWhenNeuronsArePermuted) {
  ExpertFixture expert(8, 20);
  const at::Tensor x = at::randn({3, 8});
  const at::Tensor before = SpectraAtTokens(expert.Tensors(), x, 8, 0).values;
  expert.PermuteNeurons();
  const at::Tensor after = SpectraAtTokens(expert.Tensors(), x, 8, 0).values;
  EXPECT_LT(LargestRelativeError(after, before), 1e-9);
}

// An average over one token is that token's Jacobian.
AveragedJacobian AverageAt(const MlpTensors& tensors, const at::Tensor& x) {
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors, at::kDouble), x);
  return {.weights = &tensors,
          .slope = jacobians.slope[0],
          .value = jacobians.value[0]};
}

TEST_P(SpectraOfKindTest, OfAnAverageOverOneTokenIsTheTokens) {
  for (const int64_t width : {10, 200}) {
    const ExpertFixture expert(width, 250, GetParam());
    const MlpTensors tensors = expert.Tensors();
    const at::Tensor x = at::randn({1, width});
    const JacobianSpectra average =
        SpectrumOfAverage(AverageAt(tensors, x), 2, 0);
    EXPECT_LT(LargestRelativeError(average.values,
                                   ByAutograd(expert, x).slice(1, 0, 2)),
              1e-4)
        << width;
  }
}

}  // namespace
}  // namespace moeprobe
