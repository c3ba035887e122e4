#include "client/result/decimals.h"

#include <limits>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(DecimalsTest, AreThreeAsInThePapers) {
  EXPECT_EQ(DecimalsUpTo(0.062), 3);
  EXPECT_EQ(DecimalsUpTo(2.463), 3);
  EXPECT_EQ(DecimalsUpTo(0), 3);
}

TEST(DecimalsTest, AreOneForLargeNumbersAndMoreForTinyOnes) {
  EXPECT_EQ(DecimalsUpTo(194.2), 1);
  EXPECT_EQ(DecimalsUpTo(0.0004), 6);
  EXPECT_EQ(DecimalsUpTo(1e-30), 9);
}

TEST(DecimalsTest, ShowTwoDigitsOfAnError) {
  EXPECT_EQ(DecimalsUpTo(40.5, 0.31), 2);
  EXPECT_EQ(DecimalsUpTo(2.8, 0.5), 3);
  EXPECT_EQ(DecimalsUpTo(0.06, 0.0006), 5);
}

TEST(DecimalsTest, TakeNoErrorThatIsNone) {
  EXPECT_EQ(DecimalsUpTo(40.5, 0), 1);
  EXPECT_EQ(DecimalsUpTo(40.5, std::numeric_limits<double>::quiet_NaN()), 1);
  EXPECT_EQ(DecimalsUpTo(40.5, std::numeric_limits<double>::infinity()), 1);
}

}  // namespace
}  // namespace moeprobe
