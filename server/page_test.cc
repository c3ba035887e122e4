#include "server/page.h"

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(PageTest, BoundsTheSize) {
  EXPECT_EQ(*PageSize(0), 50);
  EXPECT_EQ(*PageSize(7), 7);
  EXPECT_EQ(*PageSize(std::numeric_limits<int32_t>::max()), 1000);
  EXPECT_TRUE(absl::IsInvalidArgument(PageSize(-1).status()));
}

TEST(PageTest, ReadsItsOwnTokens) {
  EXPECT_EQ(*ParsePageToken("A", PageToken("A", "model/ä\n")), "model/ä\n");
  EXPECT_EQ(*ParsePageToken("A", ""), "");
  EXPECT_EQ(*ParsePageTokenNumber("A", PageToken("A", "12")), 12);
  EXPECT_EQ(*ParsePageTokenNumber("A", ""),
            std::numeric_limits<int64_t>::max());
}

TEST(PageTest, RefusesTokensOfOthers) {
  for (const char* token : {"!", "abc", "12", "\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParsePageToken("A", token).status()))
        << token;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      ParsePageToken("A", PageToken("B", "1")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      ParsePageTokenNumber("A", PageToken("A", "x")).status()));
}

}  // namespace
}  // namespace moeprobe
