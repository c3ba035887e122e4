#include "core/train/training_curves.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "core/train/trainer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

// A report of two layers of three experts.
TrainingStep Report(int64_t step, double loss, int64_t tokens, double gate) {
  return {.step = step,
          .loss = loss,
          .balance_loss = 1,
          .gradient_norm = 2,
          .learning_rate = 3,
          .expert_tokens = at::full({2, 3}, tokens, at::kLong),
          .expert_gates = at::full({2, 3}, gate, at::kDouble)};
}

const Array& Named(const std::vector<NamedCurve>& curves,
                   const std::string& name) {
  return std::ranges::find(curves, name, &NamedCurve::name)->array;
}

template <typename Number>
std::vector<Number> Values(const Array& array) {
  std::vector<Number> values(array.bytes.size() / sizeof(Number));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

TEST(TrainingCurvesTest, HasAPlaceForEveryStep) {
  TrainingCurves curves(2, 3);
  curves.AddStep(Report(1, 5, 0, 0));
  curves.AddStep(Report(2, 4, 0, 0));
  const auto arrays = curves.Arrays();
  EXPECT_EQ(curves.step_count(), 2);
  EXPECT_THAT(Values<double>(Named(arrays, "loss")), ElementsAre(5, 4));
  EXPECT_THAT(Named(arrays, "gradient_norm").shape, ElementsAre(2));
  EXPECT_THAT(Values<double>(Named(arrays, "learning_rate")),
              ElementsAre(3, 3));
}

TEST(TrainingCurvesTest, CountsExpertsBetweenEvaluations) {
  TrainingCurves curves(2, 3);
  curves.AddEvaluation(9);
  curves.AddStep(Report(1, 5, 10, 0.5));
  curves.AddStep(Report(2, 4, 20, 0.25));
  curves.AddEvaluation(8);
  curves.AddStep(Report(3, 3, 7, 1));
  curves.AddEvaluation(7);
  const auto arrays = curves.Arrays();
  EXPECT_THAT(Values<int64_t>(Named(arrays, "evaluation_step")),
              ElementsAre(0, 2, 3));
  EXPECT_THAT(Values<double>(Named(arrays, "held_out_loss")),
              ElementsAre(9, 8, 7));
  const Array& tokens = Named(arrays, "expert_tokens");
  EXPECT_THAT(tokens.shape, ElementsAre(3, 2, 3));
  const auto counts = Values<int64_t>(tokens);
  EXPECT_EQ(counts[0], 0);
  EXPECT_EQ(counts[6], 30);
  EXPECT_EQ(counts[17], 7);
  const auto gates = Values<double>(Named(arrays, "expert_gates"));
  EXPECT_EQ(gates[5], 0);
  EXPECT_EQ(gates[6], 0.375);
  EXPECT_EQ(gates[12], 1);
}

TEST(TrainingCurvesTest, RemembersWhatEarlierStepsHad) {
  TrainingCurves curves(2, 3);
  curves.AddEvaluation(9);
  curves.AddStep(Report(1, 5, 10, 0.5));
  curves.AddStep(Report(2, 4, 20, 0.25));
  curves.AddEvaluation(8);
  const auto before = curves.Arrays();
  curves.AddStep(Report(3, 3, 7, 1));
  curves.AddEvaluation(7);
  EXPECT_EQ(curves.HeldOutLossAt(0), 9);
  EXPECT_EQ(curves.HeldOutLossAt(2), 8);
  const auto again = curves.ArraysUpTo(2);
  ASSERT_EQ(again.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(again[i].array.shape, before[i].array.shape) << before[i].name;
    EXPECT_EQ(again[i].array.bytes, before[i].array.bytes) << before[i].name;
  }
}

TEST(TrainingCurvesTest, AveragesTheLastHundredLosses) {
  TrainingCurves often(2, 0), seldom(2, 0);
  for (TrainingCurves* curves : {&often, &seldom}) {
    curves->AddEvaluation(9);
    for (int64_t step = 1; step <= 150; ++step) {
      curves->AddStep({.step = step, .loss = static_cast<double>(step)});
      if (curves == &often && step % 10 == 0) curves->AddEvaluation(8);
    }
    EXPECT_EQ(curves->RecentLoss(0), std::nullopt);
    EXPECT_EQ(curves->RecentLoss(1), 1);
    EXPECT_EQ(curves->RecentLoss(50), 25.5);
    EXPECT_EQ(curves->RecentLoss(100), 50.5);
    EXPECT_EQ(curves->RecentLoss(101), 51.5);
    EXPECT_EQ(curves->RecentLoss(150), 100.5);
  }
}

TEST(TrainingCurvesTest, LeavesExpertsOutOfADenseModel) {
  TrainingCurves curves(2, 0);
  curves.AddStep({.step = 1, .loss = 5});
  curves.AddEvaluation(std::numeric_limits<double>::quiet_NaN());
  for (const NamedCurve& curve : curves.Arrays()) {
    EXPECT_FALSE(curve.name.starts_with("expert_"));
  }
  EXPECT_TRUE(
      std::isnan(Values<double>(Named(curves.Arrays(), "held_out_loss"))[0]));
}

// Between two evaluations, too.
TEST(TrainingCurvesTest, GoesOnFromItsState) {
  TrainingCurves whole(2, 3), half(2, 3), rest(2, 3);
  for (TrainingCurves* curves : {&whole, &half}) {
    curves->AddEvaluation(9);
    curves->AddStep(Report(1, 5, 10, 0.5));
  }
  rest.Restore(half.State());
  for (TrainingCurves* curves : {&whole, &rest}) {
    curves->AddStep(Report(2, 4, 20, 0.25));
    curves->AddEvaluation(8);
  }
  const auto expected = whole.State(), found = rest.State();
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i].array.bytes, expected[i].array.bytes)
        << expected[i].name;
  }
}

}  // namespace
}  // namespace moeprobe
