#include "core/probe/averaged_jacobian.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/activation_probe.h"
#include "core/model/mlp.h"
#include "core/probe/expert_fixture.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// The closed form over `tokens` [n, d] with weights [n], from the expert's own
// forward pass.
AveragedJacobian ClosedForm(const MlpTensors& tensors, const at::Tensor& tokens,
                            const at::Tensor& weights) {
  ActivationSums sums = ZeroActivationSums(1, 1, WidthsOf(tensors));
  ExpertRun run = PlanRoutedTokens(
      {.tokens = at::arange(tokens.size(0), at::kLong), .gates = weights});
  run.weights = weights.unsqueeze(0).contiguous();
  run.groups = at::zeros({tokens.size(0)}, at::kLong);
  run.sums = &sums;
  Mlp(tensors, at::kFloat).Run(tokens, run);
  const double total = weights.sum(at::kDouble).item<double>();
  return {.weights = &tensors,
          .slope = sums.slope[0][0] / total,
          .value = sums.value[0][0] / total};
}

// The same, one Jacobian after the other.
at::Tensor ByAutograd(const ExpertFixture& expert, const at::Tensor& tokens,
                      const at::Tensor& weights) {
  at::Tensor sum = at::zeros({tokens.size(1), tokens.size(1)}, at::kDouble);
  for (int64_t t = 0; t < tokens.size(0); ++t) {
    sum += expert.JacobianByAutograd(tokens[t]) * weights[t].item<double>();
  }
  return sum / weights.sum(at::kDouble).item<double>();
}

double RelativeDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b).norm().item<double>() /
         b.norm().item<double>();
}

class AveragedJacobianTest : public testing::TestWithParam<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, AveragedJacobianTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(AveragedJacobianTest, EqualsTheMeanOfAutogradJacobians) {
  at::manual_seed(11);
  // Narrower and wider inside than outside; not multiples of any block.
  for (const auto& [width, hidden] : {std::pair(12, 7), std::pair(9, 301)}) {
    const ExpertFixture expert(width, hidden, GetParam());
    const MlpTensors tensors = expert.Tensors();
    const at::Tensor tokens = at::randn({30, width}) * 2;
    const at::Tensor weights = at::rand({30});
    const AveragedJacobian closed = ClosedForm(tensors, tokens, weights);
    // 1e-6: a few float32 roundings against float64.
    EXPECT_LT(RelativeDistance(JacobianRows(closed, 0, width),
                               ByAutograd(expert, tokens, weights)),
              1e-6)
        << "d " << width << ", f " << hidden;
  }
}

TEST_P(AveragedJacobianTest, OfOneTokenIsItsJacobian) {
  at::manual_seed(12);
  const ExpertFixture expert(6, 10, GetParam());
  const MlpTensors tensors = expert.Tensors();
  const at::Tensor token = at::randn({1, 6});
  const AveragedJacobian closed = ClosedForm(tensors, token, at::ones({1}));
  EXPECT_LT(RelativeDistance(JacobianRows(closed, 0, 6),
                             expert.JacobianByAutograd(token[0])),
            1e-6);
}

TEST_P(AveragedJacobianTest, DoesNotChangeWhenNeuronsArePermuted) {
  at::manual_seed(13);
  ExpertFixture expert(8, 20, GetParam());
  const at::Tensor tokens = at::randn({25, 8});
  const MlpTensors before = expert.Tensors();
  const at::Tensor rows =
      JacobianRows(ClosedForm(before, tokens, at::ones({25})), 0, 8).clone();
  expert.PermuteNeurons();
  const MlpTensors after = expert.Tensors();
  EXPECT_LT(RelativeDistance(
                JacobianRows(ClosedForm(after, tokens, at::ones({25})), 0, 8),
                rows.to(at::kDouble)),
            1e-6);
}

TEST(JacobianRowsTest, OfBlocksMakeUpTheWhole) {
  at::manual_seed(14);
  const ExpertFixture expert(10, 6);
  const MlpTensors tensors = expert.Tensors();
  const AveragedJacobian closed =
      ClosedForm(tensors, at::randn({5, 10}), at::ones({5}));
  const at::Tensor whole = JacobianRows(closed, 0, 10);
  EXPECT_LT(RelativeDistance(JacobianRows(closed, 3, 7),
                             whole.slice(0, 3, 7).to(at::kDouble)),
            1e-6);
}

TEST(JacobianGramTest, HoldsTheFrobeniusProducts) {
  at::manual_seed(15);
  const ExpertFixture a(9, 14), b(9, 5), c(9, 9);
  const std::vector<MlpTensors> tensors = {a.Tensors(), b.Tensors(),
                                           c.Tensors()};
  const at::Tensor tokens = at::randn({20, 9});
  std::vector<AveragedJacobian> jacobians;
  for (const MlpTensors& expert : tensors) {
    jacobians.push_back(ClosedForm(expert, tokens, at::ones({20})));
  }
  const at::Tensor gram = JacobianGram(jacobians);
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      const at::Tensor x = JacobianRows(jacobians[i], 0, 9).to(at::kDouble);
      const at::Tensor y = JacobianRows(jacobians[j], 0, 9).to(at::kDouble);
      EXPECT_NEAR(gram[i][j].item<double>(), (x * y).sum().item<double>(),
                  1e-6);
    }
  }
}

TEST(JacobianGramTest, OfNoExpertIsEmpty) {
  EXPECT_EQ(JacobianGram({}).numel(), 0);
}

}  // namespace
}  // namespace moeprobe
