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
  Retry retry(milliseconds(1000), cancellation, /*channel=*/nullptr);
  int again_count = 0;
  while (retry.Again(absl::UnavailableError(""))) ++again_count;
  EXPECT_GE(again_count, 1);
  EXPECT_LE(again_count, 4);  // after 50, 100, 200 and 400 ms
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
