#include "client/text/format.h"

#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(FormatClockTest, ShowsHoursOnlyWhereThereAreAny) {
  EXPECT_EQ(FormatClock(absl::Seconds(-3)), "0:00");
  EXPECT_EQ(FormatClock(absl::Milliseconds(7900)), "0:07");
  EXPECT_EQ(FormatClock(absl::Seconds(727)), "12:07");
  EXPECT_EQ(FormatClock(absl::Seconds(4327)), "1:12:07");
}

TEST(FormatBytesTest, PicksTheUnit) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1400), "1.4 kB");
  EXPECT_EQ(FormatBytes(999960), "1.0 MB");
  EXPECT_EQ(FormatBytes(28600000000), "28.6 GB");
}

TEST(FormatPTest, HasAFourthDecimalBelowTheThousandth) {
  EXPECT_EQ(FormatP(0.01), "0.010");
  EXPECT_EQ(FormatP(0.001), "0.001");
  EXPECT_EQ(FormatP(0.0005), "0.0005");
}

TEST(FormatExactTest, IsShortAndReadsBack) {
  EXPECT_EQ(FormatExact(0.1), "0.1");
  EXPECT_EQ(FormatExact(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(FormatExact(-2), "-2");
  EXPECT_EQ(FormatExact(std::numeric_limits<double>::quiet_NaN()), "nan");
}

}  // namespace
}  // namespace moeprobe
