#include "server/violations.h"

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/retry_delay.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr absl::Duration kDelay = absl::Seconds(30);

TEST(ViolationsTest, SayWhenToTryAgain) {
  Violations violations;
  violations.Add("model",
                 WithRetryDelay(absl::UnavailableError("it failed"), kDelay));
  const absl::Status status = violations.ToStatus();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(status.message(), "model: it failed");
  EXPECT_EQ(RetryDelayOf(status), kDelay);
}

TEST(ViolationsTest, SayNothingOfALaterTimeWhereTheRequestIsWrong) {
  Violations violations;
  violations.Add("model",
                 WithRetryDelay(absl::UnavailableError("it failed"), kDelay));
  violations.Add("seed", "negative");
  const absl::Status status = violations.ToStatus();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(RetryDelayOf(status), std::nullopt);
}

}  // namespace
}  // namespace moeprobe
