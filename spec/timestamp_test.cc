#include "spec/timestamp.h"

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(TimestampTest, KeepsMicrosecondsOnTheWayThereAndBack) {
  for (const int64_t micros : {int64_t{1'000'000'000'250'001}, int64_t{-1}}) {
    const absl::Time time = absl::FromUnixMicros(micros);
    EXPECT_EQ(ToTime(ToTimestamp(time)), time);
    EXPECT_GE(ToTimestamp(time).nanos(), 0);
  }
}

}  // namespace
}  // namespace moeprobe
