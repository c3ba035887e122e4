#include "core/train/examples.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/var_mean.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr DecoderShape kShape{.layers = 1,
                              .width = 12,
                              .context = kExampleWindow,
                              .vocabulary = 5000,
                              .outputs = 3};

// Inputs without the mean of their cluster.
at::Tensor AroundCentres(const Examples& examples, int64_t clusters) {
  at::Tensor around = examples.inputs.clone();
  for (int64_t k = 0; k < clusters; ++k) {
    const at::Tensor rows = examples.clusters.eq(k).nonzero().flatten();
    const at::Tensor x = examples.inputs.index_select(0, rows);
    around.index_copy_(0, rows, x - x.mean(0));
  }
  return around;
}

double Variance(const at::Tensor& x) { return x.var().item<double>(); }

TEST(ExamplesTest, HaveTheirShapes) {
  const Examples examples = MakeExamples({}, kShape);
  EXPECT_EQ(examples.inputs.sizes(), at::IntArrayRef({5000, 12}));
  EXPECT_EQ(examples.targets.sizes(), at::IntArrayRef({5000, 3}));
  EXPECT_EQ(examples.clusters.min().item<int64_t>(), 0);
  EXPECT_EQ(examples.clusters.max().item<int64_t>(), 7);
  EXPECT_EQ(examples.inputs.scalar_type(), at::kFloat);
}

// 60,000 numbers: a variance of 1 deviates by 0.006.
TEST(ExamplesTest, LieAroundTheirCentres) {
  const Examples examples = MakeExamples({.separation = 3}, kShape);
  EXPECT_NEAR(Variance(AroundCentres(examples, 8)), 1, 0.03);
  EXPECT_GT(Variance(examples.inputs), 5);
}

TEST(ExamplesTest, AreOneGaussianWithoutSeparation) {
  const Examples examples = MakeExamples({.separation = 0}, kShape);
  EXPECT_NEAR(Variance(examples.inputs), 1, 0.03);
  EXPECT_NEAR(Variance(AroundCentres(examples, 8)), Variance(examples.inputs),
              0.01);
}

TEST(ExamplesTest, HaveStandardisedOutputs) {
  const Examples examples = MakeExamples({}, kShape);
  const auto [variance, mean] =
      at::var_mean(examples.targets.to(at::kDouble), 0, false);
  // Numbers of float32.
  EXPECT_LT(mean.abs().max().item<double>(), 1e-6);
  EXPECT_LT((variance - 1).abs().max().item<double>(), 1e-5);
}

TEST(ExamplesTest, HaveNoiseOnTopOfOutputs) {
  const Examples plain = MakeExamples({}, kShape);
  const Examples noisy = MakeExamples({.noise = 0.5}, kShape);
  EXPECT_TRUE(noisy.inputs.equal(plain.inputs));
  EXPECT_NEAR(Variance(noisy.targets - plain.targets), 0.25, 0.01);
}

TEST(ExamplesTest, HaveTheLargestOutputForAClass) {
  const Examples values = MakeExamples({}, kShape);
  const Examples classes =
      MakeExamples({.objective = Objective::kClassification}, kShape);
  EXPECT_TRUE(classes.targets.equal(values.targets.argmax(1)));
  // Standardised outputs are as likely to be the largest, roughly.
  const at::Tensor counts = classes.targets.bincount({}, 3);
  EXPECT_GT(counts.min().item<int64_t>(), 800);
}

// A teacher of one cluster is a teacher of all.
TEST(ExamplesTest, HaveOneTeacherWhereThereIsOneCluster) {
  const Examples own = MakeExamples({.clusters = 1}, kShape);
  const Examples shared =
      MakeExamples({.clusters = 1, .teacher = Teacher::kShared}, kShape);
  EXPECT_TRUE(own.targets.equal(shared.targets));
}

TEST(ExamplesTest, AskForOtherThingsInOtherClusters) {
  const Examples own = MakeExamples({.clusters = 2}, kShape);
  const Examples shared =
      MakeExamples({.clusters = 2, .teacher = Teacher::kShared}, kShape);
  EXPECT_TRUE(own.inputs.equal(shared.inputs));
  EXPECT_GT(Variance(own.targets - shared.targets), 0.1);
}

TEST(ExamplesTest, DependOnTheirSeedAlone) {
  const Examples one = MakeExamples({.seed = 3}, kShape);
  EXPECT_TRUE(one.inputs.equal(MakeExamples({.seed = 3}, kShape).inputs));
  EXPECT_FALSE(one.inputs.equal(MakeExamples({.seed = 4}, kShape).inputs));
}

}  // namespace
}  // namespace moeprobe
