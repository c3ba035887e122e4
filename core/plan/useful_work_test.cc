#include "core/plan/useful_work.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/model_config.h"

namespace moeprobe {
namespace {

// Two windows of three tokens; d = 4, two heads of width 2, one of them for
// keys and values; E = 3 experts of width 5, k = 1.
constexpr TokenCounts kCounts{.tokens = 6, .sequence_length = 3};

ModelConfig TinyConfig() {
  ModelConfig model;
  model.width = 4;
  model.attention.head_count = 2;
  model.attention.key_value_head_count = 1;
  model.attention.head_width = 2;
  model.experts = {.count = 3, .per_token = 1, .width = 5};
  model.layers.resize(1);
  model.layers[0].is_moe = true;
  return model;
}

TEST(UsefulWorkTest, CountsProjectionsCausalScoresAndActiveExperts) {
  const ModelConfig model = TinyConfig();
  const UsefulWork work = ForwardWork(model, model.layers[0], kCounts);
  const double projections = 2 * 6 * 4 * (4 + 2 + 2 + 4);
  const double scores_and_mixing = 2 * (1 + 2 + 3) * 2 * 2 * 4;
  const double experts = 3 * 2 * 6 * 4 * 5;
  EXPECT_EQ(work.forward, projections + scores_and_mixing + experts);
  EXPECT_EQ(work.float32, 2 * 6 * 4 * 3);
  EXPECT_EQ(work.float64, 0);
}

TEST(UsefulWorkTest, CountsOnlyPositionsInsideASlidingWindow) {
  const ModelConfig model = TinyConfig();
  LayerConfig sliding = model.layers[0];
  sliding.sliding_window = 2;
  const double all = ForwardWork(model, model.layers[0], kCounts).forward;
  // The last position of each of two windows sees one position less.
  EXPECT_EQ(ForwardWork(model, sliding, kCounts).forward, all - 2 * 2 * 2 * 4);
}

TEST(UsefulWorkTest, CountsExtraExpertRunsOnlyWhereAllTokensAreAveraged) {
  const ModelConfig model = TinyConfig();
  const UsefulWork routed =
      JacobianWork(model, model.layers[0], kCounts, 1, /*all_tokens=*/false);
  EXPECT_EQ(routed.forward, 0);
  EXPECT_EQ(routed.float32, 3 * 2 * 4 * 4 * 5);
  EXPECT_EQ(routed.float64, 3 * 4 * 16);
  const UsefulWork all =
      JacobianWork(model, model.layers[0], kCounts, 1, /*all_tokens=*/true);
  EXPECT_EQ(all.forward, 2 * 2 * (6 * 2) * 4 * 5);
  EXPECT_EQ(all.float32, routed.float32);
}

TEST(UsefulWorkTest, SolvesThePcaOnItsSmallerSide) {
  const UsefulWork work = PcaWork(4, {2, 6});  // 2 and 6 tokens, d = 4
  EXPECT_DOUBLE_EQ(work.float64, 2 * 3 * 4 + 4 * 5 * 6);
  EXPECT_DOUBLE_EQ(work.eigen, 4.0 / 3.0 * (8 + 64));
}

TEST(UsefulWorkTest, LeavesOutWhatIsNotNeededOfExperts) {
  const ModelConfig model = TinyConfig();
  const LayerConfig& layer = model.layers[0];
  const double output = ForwardWork(model, layer, kCounts).forward;
  const double product = 2 * 6 * 4 * 5;  // T d f, k = 1
  EXPECT_EQ(
      ForwardWork(model, layer, kCounts, ExpertPart::kPreActivations).forward,
      output - product);
  EXPECT_EQ(ForwardWork(model, layer, kCounts, ExpertPart::kNothing).forward,
            output - 3 * product);
}

TEST(UsefulWorkTest, DecomposesSmallJacobiansAndIteratesOnLargeOnes) {
  ModelConfig model = TinyConfig();
  const UsefulWork small = SpectraWork(model, model.layers[0], 2);
  EXPECT_EQ(small.float64, 3 * 2 * (2 * 4 * 4 * 5));  // E = 3, 2 tokens
  EXPECT_DOUBLE_EQ(small.eigen, 3 * 2 * 4.0 / 3.0 * 64);
  model.width = 1000;
  model.experts.width = 500;
  const UsefulWork large = SpectraWork(model, model.layers[0], 2);
  EXPECT_EQ(large.float32,
            3 * (5.0 * 500 * 500 * 1000 + 2 * 12.0 * 150 * 500 * 1000));
  EXPECT_EQ(large.float64, 0);
}

TEST(UsefulWorkTest, CountsTwoMatricesWhereExpertsHaveTwoLayers) {
  ModelConfig model = TinyConfig();
  const LayerConfig layer = model.layers[0];
  const double gated = ForwardWork(model, layer, kCounts).forward;
  model.expert_kind = ExpertKind::kGeluMlp;
  const double product = 2 * 6 * 4 * 5;  // T d f, k = 1
  EXPECT_EQ(ForwardWork(model, layer, kCounts).forward, gated - product);
  EXPECT_EQ(JacobianWork(model, layer, kCounts, 1, /*all_tokens=*/true).forward,
            2 * (6 * 2) * 4 * 5);
  EXPECT_EQ(RouterTermWork(model, layer, 7).float32,
            (1 * 3 + 7 * 1) * 2 * 4 * 5 * 4);
  model.width = 1000;
  model.experts.width = 500;
  EXPECT_EQ(SpectraWork(model, layer, 2).float32,
            3 * (2.0 * 500 * 500 * 1000 + 2 * 8.0 * 150 * 500 * 1000));
}

TEST(UsefulWorkTest, CountsDirectionsOfTheRouterTermOnceAnExpertAndAToken) {
  const ModelConfig model = TinyConfig();
  const double product = 2 * 4 * 5 * 4;  // as many directions as d
  EXPECT_EQ(RouterTermWork(model, model.layers[0], 7).float32,
            (2 * 3 + 7 * 1) * product);
}

}  // namespace
}  // namespace moeprobe
