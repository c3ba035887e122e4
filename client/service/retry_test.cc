#include "client/service/retry.h"

#include <chrono>

#include "absl/status/status.h"
#include "client/service/cancellation.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using std::chrono::milliseconds;

TEST(RetryTest, TriesAgainOnlyWhereNobodyAnswered) {
  Cancellation cancellation;
  Retry retry(milliseconds(10000), cancellation, /*channel=*/nullptr);
  EXPECT_TRUE(retry.Again(absl::UnavailableError("")));
  EXPECT_FALSE(retry.Again(absl::OkStatus()));
  EXPECT_FALSE(retry.Again(absl::InternalError("")));
}

TEST(RetryTest, GivesUpWhenPatienceEnds) {
  Cancellation cancellation;
  Retry retry(milliseconds(60), cancellation, /*channel=*/nullptr);
  EXPECT_TRUE(retry.Again(absl::UnavailableError("")));
  EXPECT_FALSE(retry.Again(absl::UnavailableError("")));
  retry.Restart();
  EXPECT_TRUE(retry.Again(absl::UnavailableError("")));
}

TEST(RetryTest, GivesUpAtOnceWhenCancelled) {
  Cancellation cancellation;
  cancellation.Cancel();
  Retry retry(milliseconds(100000), cancellation, /*channel=*/nullptr);
  EXPECT_FALSE(retry.Again(absl::UnavailableError("")));
}

}  // namespace
}  // namespace moeprobe
