#include "core/train/example_task.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/train/example_options.h"
#include "core/train/examples.h"
#include "core/train/initialization.h"
#include "core/train/learning_task.h"
#include "core/train/parameters.h"
#include "core/train/token_split.h"
#include "core/train/training_fixture.h"
#include "core/train/training_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

const TokenSplit& Numbers() {
  static const TokenSplit numbers = MlpFixtureExamples();
  return numbers;
}

std::unique_ptr<LearningTask> NewTask(const TrainingOptions& options) {
  return ExampleTask::Create(options, Numbers()).value();
}

ModelParameters Initialized(const TrainingOptions& options) {
  ModelParameters model = AllocateParameters(options.shape);
  InitializeParameters(model, Initialization::kTorch, 1);
  return model;
}

at::Tensor Double(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.to(at::kDouble) : tensor;
}

// [n, E], by the definition: softmax, the largest k, divided by their sum.
at::Tensor NaiveGates(const at::Tensor& x, const ModelParameters& model,
                      int64_t per_token) {
  const LayerParameters& layer = model.layers[0];
  if (!layer.router.defined()) return at::ones({x.size(0), 1}, at::kDouble);
  const at::Tensor p =
      at::linear(x, Double(layer.router), Double(layer.router_bias))
          .softmax(-1);
  const at::Tensor least =
      std::get<0>(p.topk(per_token)).select(1, per_token - 1);
  const at::Tensor kept = p * p.ge(least.unsqueeze(1));
  return kept / kept.sum(1, /*keepdim=*/true);
}

// Every expert on every example, in float64, by autograd.
at::Tensor NaiveLoss(const TrainingOptions& options,
                     const ModelParameters& model, const at::Tensor& batch) {
  const Examples examples = MakeExamples(options.examples, options.shape);
  const at::Tensor x = Double(examples.inputs.index_select(0, batch));
  const at::Tensor gates = NaiveGates(x, model, options.routing.per_token);
  const ExpertParameters& experts = model.layers[0].experts;
  at::Tensor y = at::zeros_like(x);
  for (int64_t e = 0; e < gates.size(1); ++e) {
    const auto part = [e](const at::Tensor& stack) {
      return stack.defined() ? Double(stack[e]) : stack;
    };
    const at::Tensor up =
        at::linear(x, part(experts.up), part(experts.up_bias));
    const at::Tensor hidden =
        experts.gate.defined()
            ? at::silu(at::linear(x, part(experts.gate))) * up
            : at::gelu(up);
    at::Tensor output = hidden.mm(part(experts.down));
    if (experts.down_bias.defined()) output = output + part(experts.down_bias);
    y = y + output * gates.select(1, e).unsqueeze(1);
  }
  const at::Tensor outputs = y.mm(Double(model.head).t());
  const at::Tensor targets = examples.targets.index_select(0, batch);
  if (options.examples.objective == Objective::kRegression) {
    return (outputs - targets).square().mean();
  }
  return -outputs.log_softmax(1).gather(1, targets.unsqueeze(1)).mean();
}

// Kind of experts, how many of four act (0: a dense MLP), what is learned.
using Case = std::tuple<ExpertKind, int64_t, Objective>;

class ExampleLossTest : public testing::TestWithParam<Case> {
 protected:
  ExampleLossTest() : options_(MlpFixtureOptions(std::get<0>(GetParam()))) {
    const int64_t active = std::get<1>(GetParam());
    if (active == 0) options_.shape.experts = 0;
    options_.routing = {.per_token = active, .renormalize = active < 4};
    options_.examples.objective = std::get<2>(GetParam());
  }

  TrainingOptions options_;
};

// Sums of tens of products in float32; the normal distribution function to
// 1e-7.
TEST_P(ExampleLossTest, HasTheLossAndGradientsThatAutogradFinds) {
  const ModelParameters model = Initialized(options_);
  const auto task = NewTask(options_);
  const at::Tensor batch = task->Batch(1);
  const at::Tensor loss = task->Loss(model, batch).loss;
  const at::Tensor expected = NaiveLoss(options_, model, batch);
  EXPECT_NEAR(loss.item<double>(), expected.item<double>(), 1e-5);
  const auto leaves = ParameterTensors(model);
  const auto found = torch::autograd::grad({loss}, leaves);
  const auto wanted = torch::autograd::grad({expected}, leaves);
  for (size_t i = 0; i < leaves.size(); ++i) {
    const at::Tensor distance = (found[i] - wanted[i]).abs().max();
    const auto size = wanted[i].abs().max().item<double>();
    EXPECT_GT(size, 0) << i;
    EXPECT_LT(distance.item<double>(), 1e-5 * (size + 0.1)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ExampleLossTest,
    testing::Combine(
        testing::Values(ExpertKind::kGeluMlp, ExpertKind::kGatedMlp),
        testing::Values(0, 2, 4),
        testing::Values(Objective::kRegression, Objective::kClassification)));

TEST(ExampleTaskTest, SendsExamplesToChosenExpertsOnly) {
  const TrainingOptions options = MlpFixtureOptions();
  const auto task = NewTask(options);
  const TaskLoss found = task->Loss(Initialized(options), task->Batch(1));
  ASSERT_EQ(found.routing.size(), 1U);
  EXPECT_EQ(found.routing[0].chosen.sizes(), at::IntArrayRef({32, 2}));
}

// Only the data knows what is learned: a loss of 1 is that of a constant.
TEST(ExampleTaskTest, CostsAboutOneToSayNothing) {
  const TrainingOptions options = MlpFixtureOptions();
  ModelParameters model = Initialized(options);
  const at::NoGradGuard no_gradients;
  model.head.zero_();
  EXPECT_NEAR(NewTask(options)->HeldOutLoss(model, 1000), 1, 0.3);
}

TEST(ExampleTaskTest, DrawsBatchesFromWhatIsLearnedFrom) {
  const TrainingOptions options = MlpFixtureOptions();
  const auto task = NewTask(options);
  EXPECT_EQ(task->Batch(1).sizes(), at::IntArrayRef({32}));
  EXPECT_LT(task->Batch(1).max().item<int64_t>(), 360);
  EXPECT_TRUE(task->Batch(3).equal(NewTask(options)->Batch(3)));
  EXPECT_FALSE(task->Batch(3).equal(task->Batch(4)));
  TrainingOptions dense = options;
  dense.shape.experts = 0;
  EXPECT_TRUE(task->Batch(3).equal(NewTask(dense)->Batch(3)));
}

TEST(ExampleTaskTest, AveragesTheHeldOutLossOverExamples) {
  const TrainingOptions options = MlpFixtureOptions();
  const ModelParameters model = Initialized(options);
  const auto task = NewTask(options);
  const at::NoGradGuard no_gradients;
  const auto loss_on = [&](const at::Tensor& numbers) {
    return task->Loss(model, numbers).loss.item<double>();
  };
  const at::Tensor held_out = at::arange(360, 400, at::kLong);
  EXPECT_EQ(task->HeldOutLoss(model, 3),
            loss_on(held_out));  // of windows of 16
  const at::Tensor spread = (at::arange(16, at::kLong) * 40).div(16, "floor");
  EXPECT_EQ(task->HeldOutLoss(model, 1),
            loss_on(held_out.index_select(0, spread)));
}

TEST(ExampleTaskTest, HasNoHeldOutLossWhereNothingIsHeldOut) {
  const TrainingOptions options = MlpFixtureOptions();
  const TokenSplit all = SplitExamples(400, 0);
  const auto task = ExampleTask::Create(options, all).value();
  EXPECT_TRUE(std::isnan(task->HeldOutLoss(Initialized(options), 10)));
}

TEST(ExampleTaskTest, RefusesNumbersOfNoExample) {
  const TrainingOptions options = MlpFixtureOptions();
  const auto refusal = [&](const TokenSplit& numbers) {
    return std::string(
        ExampleTask::Create(options, numbers).status().message());
  };
  EXPECT_THAT(refusal({}), HasSubstr("no example to learn from"));
  EXPECT_THAT(refusal(SplitExamples(401, 0)),
              HasSubstr("is 400, expected 0 to below their count"));
  EXPECT_THAT(refusal({.train = {0}, .held_out = {-1}}), HasSubstr("is -1"));
}

}  // namespace
}  // namespace moeprobe
