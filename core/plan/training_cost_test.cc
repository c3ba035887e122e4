#include "core/plan/training_cost.h"

#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr DecoderShape kTiny{.layers = 1,
                             .width = 2,
                             .heads = 1,
                             .context = 4,
                             .vocabulary = 8,
                             .experts = 3,
                             .expert_width = 5,
                             .expert = ExpertKind::kGatedMlp};

TEST(TrainingCostTest, CountsEveryProductOfAToken) {
  // Attention 16 + 16, router 6, two experts of 30, head 16.
  EXPECT_EQ(ForwardOperations(kTiny, 2, 1), 2 * (32 + 6 + 60 + 16));
}

TEST(TrainingCostTest, GrowsWithTokensAndLayers) {
  DecoderShape two = kTiny;
  two.layers = 2;
  EXPECT_EQ(ForwardOperations(kTiny, 2, 7), 7 * ForwardOperations(kTiny, 2, 1));
  EXPECT_EQ(ForwardOperations(two, 2, 1) - ForwardOperations(kTiny, 2, 1),
            2 * (32 + 6 + 60));
}

TEST(TrainingCostTest, ADenseModelHasOneMlpWhateverIsChosen) {
  DecoderShape dense = kTiny;
  dense.experts = 0;
  EXPECT_EQ(ForwardOperations(dense, 1, 1), ForwardOperations(dense, 2, 1));
  EXPECT_EQ(ForwardOperations(dense, 1, 1), 2 * (32 + 30 + 16));
}

TEST(TrainingCostTest, ChoosesNoMoreExpertsThanThereAre) {
  EXPECT_EQ(ForwardOperations(kTiny, 3, 1), ForwardOperations(kTiny, 9, 1));
}

TEST(TrainingCostTest, CountsExamplesOneByOne) {
  DecoderShape mlp = kTiny;
  mlp.outputs = 7;
  EXPECT_EQ(TokensOfStep(kTiny, 3), 12);
  EXPECT_EQ(TokensOfStep(mlp, 3), 3);
  // Router 6, two experts of 30, read-out 14.
  EXPECT_EQ(ForwardOperations(mlp, 2, 1), 2 * (6 + 60 + 14));
  DecoderShape more = mlp;
  more.vocabulary += 1;  // one example more, of 2 numbers, 7 and 7
  EXPECT_EQ(TrainingBytes(more, 2, 1) - TrainingBytes(mlp, 2, 1), 4 * 16);
}

TEST(TrainingCostTest, HoldsWeightsFourTimes) {
  EXPECT_GT(TrainingBytes(kTiny, 2, 1), 16 * ParameterCount(kTiny));
  EXPECT_LT(TrainingBytes(kTiny, 2, 1), TrainingBytes(kTiny, 2, 2));
}

}  // namespace
}  // namespace moeprobe
