#include "core/probe/alignment_gradient.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/gram_cosines.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

double MeanOfPairs(const at::Tensor& gram) {
  const int64_t count = gram.size(0);
  return ((CosinesOf(gram).sum() - count) / (count * (count - 1)))
      .item<double>();
}

class AlignmentGradientTest : public testing::TestWithParam<ExpertKind> {
 protected:
  AlignmentGradientTest() {
    at::manual_seed(31);
    for (int64_t e = 0; e < 3; ++e) {
      experts_.emplace_back(8, 11, GetParam());
    }
    for (const ExpertFixture& expert : experts_) {
      tensors_.push_back(expert.Tensors());
    }
    for (const MlpTensors& tensors : tensors_) {
      jacobians_.push_back({.weights = &tensors,
                            .slope = at::randn({11}, at::kDouble) + 1,
                            .value = at::randn({ValueWidth()}, at::kDouble)});
    }
  }

  static int64_t ValueWidth() {
    return GetParam() == ExpertKind::kGatedMlp ? 11 : 0;
  }

  double Mean() const { return MeanOfPairs(JacobianGram(jacobians_)); }

  std::vector<AlignmentGradient> Gradients() const {
    JacobianBlocks blocks(jacobians_);
    const at::Tensor gram = JacobianGram(blocks);
    return AlignmentGradients(jacobians_, blocks, gram);
  }

  std::vector<ExpertFixture> experts_;
  std::vector<MlpTensors> tensors_;
  std::vector<AveragedJacobian> jacobians_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, AlignmentGradientTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(AlignmentGradientTest, IsWhatFiniteDifferencesSay) {
  const std::vector<AlignmentGradient> gradients = Gradients();
  const at::Tensor slope = at::randn({11}, at::kDouble);
  const at::Tensor value = at::randn({ValueWidth()}, at::kDouble);
  const double expected =
      (slope.dot(gradients[1].slope) + value.dot(gradients[1].value))
          .item<double>();
  // Float32 products: a step whose effect is far above their rounding.
  const double step = 1e-2;
  const AveragedJacobian before = jacobians_[1];
  const auto at_step = [&](double size) {
    jacobians_[1].slope = before.slope + slope * size;
    jacobians_[1].value = before.value + value * size;
    return Mean();
  };
  const double change = (at_step(step) - at_step(-step)) / (2 * step);
  EXPECT_NEAR(change, expected, 1e-4);
}

TEST_P(AlignmentGradientTest, VanishesAlongAnExpertItself) {
  const std::vector<AlignmentGradient> gradients = Gradients();
  EXPECT_NEAR((jacobians_[2].slope.dot(gradients[2].slope) +
               jacobians_[2].value.dot(gradients[2].value))
                  .item<double>(),
              0, 1e-6);
}

TEST_P(AlignmentGradientTest, LeavesOutWhatHasNoLength) {
  jacobians_[0].slope.zero_();
  jacobians_[0].value.zero_();
  const std::vector<AlignmentGradient> gradients = Gradients();
  EXPECT_EQ(gradients[0].slope.abs().max().item<double>(), 0);
  EXPECT_GT(gradients[1].slope.abs().max().item<double>(), 0);
}

TEST(MeanCosineGradientTest, OfOneExpertIsZero) {
  EXPECT_EQ(MeanCosineGradient(at::eye(1, at::kDouble)).item<double>(), 0);
}

}  // namespace
}  // namespace moeprobe
