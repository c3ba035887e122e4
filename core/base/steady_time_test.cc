#include "core/base/steady_time.h"

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(SteadyTimeTest, BeginsWithTheMachinesTime) {
  const absl::Time before = absl::Now();
  const auto clock = SteadyTime();
  const absl::Time shown = clock();
  EXPECT_GE(shown, before);
  // However slow this is: a machine whose time is wrong by hours it is not.
  EXPECT_LT(shown - before, absl::Hours(1));
}

TEST(SteadyTimeTest, NeverGoesBack) {
  const auto clock = SteadyTime();
  absl::Time last = clock();
  for (int i = 0; i < 1000; ++i) {
    const absl::Time now = clock();
    EXPECT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace moeprobe
