#include "server/choice.h"

#include <gtest/gtest.h>

#include <string>

#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

template <typename Enum>
std::string Said(int value) {
  Violations violations;
  const bool is_one =
      CheckChoice(static_cast<Enum>(value), "field", violations);
  EXPECT_EQ(is_one, violations.empty());
  return is_one ? "" : violations.list()[0].description;
}

TEST(ChoiceTest, AValueOfTheEnumerationIsOne) {
  EXPECT_EQ(Said<v1::Weighting>(v1::WEIGHTING_ALL), "");
  EXPECT_EQ(Said<v1::Weighting>(v1::WEIGHTING_GATE), "");
}

TEST(ChoiceTest, OthersAreToldWhatThereIs) {
  EXPECT_EQ(Said<v1::Weighting>(4),
            "there is no value 4, expected all, routed or gate");
  EXPECT_EQ(Said<v1::Precision>(-1),
            "there is no value -1, expected float32 or bfloat16");
  EXPECT_EQ(Said<v1::OptimizerName>(99), "there is no value 99, expected adam");
}

TEST(ChoiceTest, NotSetIsNoChoice) {
  EXPECT_EQ(Said<v1::Visibility>(0),
            "there is no value 0, expected lab or private");
}

}  // namespace
}  // namespace moeprobe
