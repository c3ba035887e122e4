#include "core/base/retry_delay.h"

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/status_context.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

absl::Status Full() { return absl::ResourceExhaustedError("full"); }

TEST(RetryDelayTest, IsKeptBesideCodeAndMessage) {
  const absl::Status status = WithRetryDelay(Full(), absl::Hours(30));
  EXPECT_EQ(status.code(), Full().code());
  EXPECT_EQ(status.message(), Full().message());
  EXPECT_EQ(RetryDelayOf(status), absl::Hours(30));
}

TEST(RetryDelayTest, StaysWhereAMessageGetsContext) {
  const absl::Status status = WithRetryDelay(Full(), absl::Seconds(3));
  EXPECT_EQ(RetryDelayOf(WithContext(status, "disk")), absl::Seconds(3));
  EXPECT_EQ(RetryDelayOf(WithContext(Full(), "disk")), std::nullopt);
}

TEST(RetryDelayTest, IsUnknownUnlessSaid) {
  EXPECT_EQ(RetryDelayOf(Full()), std::nullopt);
  EXPECT_EQ(RetryDelayOf(absl::OkStatus()), std::nullopt);
}

TEST(RetryDelayTest, IsWholeSecondsAndAtLeastOne) {
  for (const absl::Duration delay :
       {-absl::Hours(1), absl::ZeroDuration(), absl::Milliseconds(200)}) {
    EXPECT_EQ(RetryDelayOf(WithRetryDelay(Full(), delay)), absl::Seconds(1));
  }
  EXPECT_EQ(RetryDelayOf(WithRetryDelay(Full(), absl::Milliseconds(2001))),
            absl::Seconds(3));
}

TEST(RetryDelayTest, IsTheOneSaidLast) {
  const absl::Status once = WithRetryDelay(Full(), absl::Seconds(3));
  EXPECT_EQ(RetryDelayOf(WithRetryDelay(once, absl::Seconds(9))),
            absl::Seconds(9));
}

}  // namespace
}  // namespace moeprobe
