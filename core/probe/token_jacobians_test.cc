#include "core/probe/token_jacobians.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/mlp.h"
#include "core/probe/expert_fixture.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

at::Tensor ByAutograd(const ExpertFixture& expert, const at::Tensor& x) {
  std::vector<at::Tensor> jacobians;
  jacobians.reserve(static_cast<size_t>(x.size(0)));
  for (int64_t t = 0; t < x.size(0); ++t) {
    jacobians.push_back(expert.JacobianByAutograd(x[t]));
  }
  return at::stack(jacobians);
}

double RelativeDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).norm().item<double>() /
         b.norm().item<double>();
}

// Width, hidden width and kind.
using Parameter = std::tuple<int64_t, int64_t, ExpertKind>;

class TokenJacobiansTest : public testing::TestWithParam<Parameter> {
 protected:
  TokenJacobiansTest() { at::manual_seed(2); }

  const int64_t width_ = std::get<0>(GetParam());
  const ExpertFixture expert_{width_, std::get<1>(GetParam()),
                              std::get<2>(GetParam())};
  const MlpTensors tensors_ = expert_.Tensors();
  const at::Tensor x_ = at::randn({5, width_});
};

// Narrower and wider inside than outside.
INSTANTIATE_TEST_SUITE_P(
    Shapes, TokenJacobiansTest,
    testing::Values(Parameter(12, 7, ExpertKind::kGatedMlp),
                    Parameter(9, 31, ExpertKind::kGatedMlp),
                    Parameter(12, 7, ExpertKind::kGeluMlp),
                    Parameter(9, 31, ExpertKind::kGeluMlp)));

TEST_P(TokenJacobiansTest, ComeWithTheOutputsOfTheExpert) {
  const at::Tensor outputs = OutputsAt(WeightsAs(tensors_, at::kFloat), x_);
  for (int64_t t = 0; t < x_.size(0); ++t) {
    EXPECT_LT(
        RelativeDistance(outputs[t], expert_.Apply(x_[t].to(at::kDouble))),
        1e-6);
  }
}

TEST_P(TokenJacobiansTest, AreThoseOfAutograd) {
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors_, at::kDouble), x_);
  const at::Tensor dense =
      at::matmul(jacobians.weights.down, InputSides(jacobians));
  // 1e-7: the tokens are float32, everything else is float64.
  EXPECT_LT(RelativeDistance(dense, ByAutograd(expert_, x_)), 1e-7);
}

TEST_P(TokenJacobiansTest, AreBuiltOneByOne) {
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors_, at::kFloat), x_);
  const at::Tensor wanted = ByAutograd(expert_, x_);
  for (int64_t i = 0; i < x_.size(0); ++i) {
    EXPECT_LT(RelativeDistance(JacobianOf(jacobians, i), wanted[i]), 1e-6);
  }
}

class TokenJacobianTest : public testing::TestWithParam<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, TokenJacobianTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(TokenJacobianTest, IsBuiltFromBlocksOfUnits) {
  at::manual_seed(3);
  const ExpertFixture expert(3, 5000, GetParam());  // a block and some
  const MlpTensors tensors = expert.Tensors();
  const at::Tensor x = at::randn({2, 3});
  const at::Tensor wanted = expert.JacobianByAutograd(x[1]);
  const auto distance = [&](at::ScalarType type) {
    return RelativeDistance(
        JacobianOf(JacobiansAt(WeightsAs(tensors, type), x), 1), wanted);
  };
  // 1e-7: the tokens are float32.
  EXPECT_LT(distance(at::kDouble), 1e-7);
  // 4e-6: as far as 5,000 roundings of a float32 go that add up at random.
  EXPECT_LT(distance(at::kFloat), 4e-6);
}

TEST_P(TokenJacobiansTest, MultiplyVectorsAsTheirMatricesDo) {
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors_, at::kFloat), x_);
  const at::Tensor dense = ByAutograd(expert_, x_);
  const at::Tensor v = at::randn({5, 3, width_});
  const at::Tensor wide = v.to(at::kDouble);
  EXPECT_LT(RelativeDistance(Apply(jacobians, v), wide.bmm(dense.mT())), 1e-6);
  EXPECT_LT(RelativeDistance(ApplyToCommon(jacobians, v[0]),
                             at::matmul(wide[0], dense.mT())),
            1e-6);
  EXPECT_LT(RelativeDistance(ApplyTransposed(jacobians, v), wide.bmm(dense)),
            1e-6);
}

TEST_P(TokenJacobiansTest, HaveTheNormsOfTheirMatrices) {
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors_, at::kFloat), x_);
  const at::Tensor wanted = ByAutograd(expert_, x_).square().sum({1, 2});
  EXPECT_LT(RelativeDistance(NormsSquared(jacobians), wanted), 1e-6);
}

TEST_P(TokenJacobianTest, HasANormThatAddsUpOverBlocksOfUnits) {
  at::manual_seed(3);
  const ExpertFixture expert(20, 700, GetParam());  // two blocks and some
  const MlpTensors tensors = expert.Tensors();
  const at::Tensor x = at::randn({3, 20});
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors, at::kFloat), x);
  const at::Tensor wanted = ByAutograd(expert, x).square().sum({1, 2});
  EXPECT_LT(RelativeDistance(NormsSquared(jacobians), wanted), 1e-6);
}

TEST(TokenJacobianNormsTest, OfTheZeroVectorAreZero) {
  const ExpertFixture expert(4, 6);
  const MlpTensors tensors = expert.Tensors();
  EXPECT_EQ(NormsSquared(
                JacobiansAt(WeightsAs(tensors, at::kFloat), at::zeros({1, 4})))
                .item<double>(),
            0);
}

}  // namespace
}  // namespace moeprobe
