#include "core/train/token_split.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

std::vector<int32_t> Counting(int32_t count) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(SplitTokensTest, HoldsTheEndOut) {
  const auto split = SplitTokens(Counting(100), 0.1, 5);
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_EQ(split->train.size(), 90U);
  EXPECT_EQ(split->held_out.front(), 90);
  EXPECT_EQ(split->held_out.size(), 10U);
}

TEST(SplitTokensTest, MayHoldNothingOut) {
  const auto split = SplitTokens(Counting(6), 0, 5);
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_EQ(split->train.size(), 6U);
  EXPECT_TRUE(split->held_out.empty());
}

TEST(SplitTokensTest, SaysWhichPartIsShorterThanTheContext) {
  EXPECT_THAT(SplitTokens(Counting(5), 0, 5).status().message(),
              HasSubstr("the training part of the text has 5 tokens, expected "
                        "at least 6"));
  EXPECT_THAT(SplitTokens({}, 0, 5).status().message(), HasSubstr("0 tokens"));
  EXPECT_THAT(SplitTokens(Counting(50), 0.1, 5).status().message(),
              HasSubstr("the held-out part of the text has 5 tokens"));
}

TEST(SplitTokensTest, RefusesSharesThatAreNone) {
  for (const double share : {-0.1, 1.0, 2.0, std::nan("")}) {
    EXPECT_EQ(SplitTokens(Counting(50), share, 5).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(SplitExamplesTest, HoldsTheLastOnesOut) {
  const TokenSplit split = SplitExamples(105, 0.1);
  EXPECT_EQ(split.train, Counting(95));
  EXPECT_EQ(split.held_out.front(), 95);
  EXPECT_EQ(split.held_out.back(), 104);
  EXPECT_TRUE(SplitExamples(5, 0).held_out.empty());
}

}  // namespace
}  // namespace moeprobe
