#include "spec/choice_name.h"

#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

TEST(ChoiceNameTest, IsWhatFollowsTheNameOfTheType) {
  EXPECT_EQ(ChoiceName(*v1::Precision_descriptor()->FindValueByName(
                "PRECISION_FLOAT32")),
            "float32");
  EXPECT_EQ(ChoiceName(*v1::RoutingSelection_descriptor()->FindValueByName(
                "ROUTING_SELECTION_TOP_K")),
            "top_k");
}

TEST(ChoiceNameTest, HasADecimalPointBetweenDigits) {
  EXPECT_EQ(ChoiceName(*v1::InitialWeights_descriptor()->FindValueByName(
                "INITIAL_WEIGHTS_NORMAL_0_02")),
            "normal_0.02");
}

}  // namespace
}  // namespace moeprobe
