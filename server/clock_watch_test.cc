#include "server/clock_watch.h"

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

class ClockWatchTest : public testing::Test {
 protected:
  // Time passes by both clocks.
  void Pass(absl::Duration time) {
    wall_ += time;
    steady_ += absl::ToChronoNanoseconds(time);
  }

  bool IsQuiet() { return watch_.IsQuietFor(absl::Hours(1)); }

  absl::Time wall_ = absl::Now();
  std::chrono::steady_clock::time_point steady_;
  ClockWatch watch_{[this] { return wall_; }, [this] { return steady_; }};
};

TEST_F(ClockWatchTest, IsQuietAsLongAsBothClocksAgree) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(IsQuiet());
    Pass(absl::Hours(5));
  }
}

TEST_F(ClockWatchTest, TakesSmallCorrectionsForWhatTheyAre) {
  EXPECT_TRUE(IsQuiet());
  wall_ += absl::Seconds(30);
  EXPECT_TRUE(IsQuiet());
  wall_ -= absl::Seconds(59);
  EXPECT_TRUE(IsQuiet());
}

TEST_F(ClockWatchTest, IsNotQuietForAWhileAfterAJumpEitherWay) {
  for (const absl::Duration jump : {absl::Hours(5), absl::Hours(-5)}) {
    Pass(absl::Hours(2));
    EXPECT_TRUE(IsQuiet());
    wall_ += jump;
    EXPECT_FALSE(IsQuiet());
    Pass(absl::Minutes(59));
    EXPECT_FALSE(IsQuiet());
    Pass(absl::Minutes(2));
    EXPECT_TRUE(IsQuiet());
  }
}

}  // namespace
}  // namespace moeprobe
