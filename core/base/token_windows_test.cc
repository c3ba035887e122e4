#include "core/base/token_windows.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CutWindowsTest, DropsThePartialWindow) {
  const auto cut =
      CutWindows({1, 2, 3, 4, 5, 6, 7}, {.tokens = -1, .sequence_length = 3});
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_THAT(*cut, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(CutWindowsTest, KeepsOnlyTheLeadingTokensAskedFor) {
  const auto cut =
      CutWindows({1, 2, 3, 4, 5, 6, 7}, {.tokens = 5, .sequence_length = 2});
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_THAT(*cut, ElementsAre(1, 2, 3, 4));
}

TEST(CutWindowsTest, TakesAllThereAreWhereMoreAreAskedFor) {
  const auto cut =
      CutWindows({1, 2, 3, 4}, {.tokens = 16384, .sequence_length = 2});
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_THAT(*cut, ElementsAre(1, 2, 3, 4));
}

void ExpectRefused(const std::vector<int32_t>& ids,
                   const WindowOptions& options, const std::string& named) {
  const absl::Status status = CutWindows(ids, options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
}

TEST(CutWindowsTest, NamesTheOptionThatIsOutOfRange) {
  ExpectRefused({}, {}, "0 ids given");
  ExpectRefused({1, 2}, {.sequence_length = 3}, "sequence_length 3");
  ExpectRefused({1, 2, 3}, {.tokens = 2, .sequence_length = 3}, "tokens is 2");
  ExpectRefused({1}, {.tokens = 0, .sequence_length = 1}, "tokens: is 0");
  ExpectRefused({1}, {.tokens = -2, .sequence_length = 1}, "tokens: is -2");
  ExpectRefused({1}, {.sequence_length = 0}, "sequence_length: is 0");
  ExpectRefused({1, 2}, {.sequence_length = 2, .skip_first = 2},
                "skip_first: is 2");
  ExpectRefused({1, 2}, {.sequence_length = 2, .skip_first = -1},
                "skip_first: is -1");
}

TEST(WholeWindowsTest, CopiesNothing) {
  const std::vector<int32_t> ids = {1, 2, 3, 4, 5, 6, 7};
  const auto whole = WholeWindows(ids, {.tokens = 5, .sequence_length = 2});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->data(), ids.data());
  EXPECT_EQ(whole->size(), 4U);
}

TEST(DataFingerprintTest, IsTheSameForTheSameWindows) {
  const std::vector<int32_t> ids = {1, 2, 3, 4};
  EXPECT_EQ(DataFingerprint(ids, {.tokens = 4, .sequence_length = 2}),
            DataFingerprint(ids, {.tokens = -1, .sequence_length = 2}));
}

TEST(DataFingerprintTest, ChangesWithIdsLengthAndSkippedPositions) {
  const WindowOptions options = {.tokens = 4, .sequence_length = 2};
  const std::vector<int32_t> ids = {1, 2, 3, 4}, others = {1, 2, 3, 5};
  const std::string fingerprint = DataFingerprint(ids, options);
  EXPECT_NE(fingerprint, DataFingerprint(others, options));
  EXPECT_NE(fingerprint, DataFingerprint(ids, {.sequence_length = 4}));
  EXPECT_NE(fingerprint,
            DataFingerprint(ids, {.sequence_length = 2, .skip_first = 1}));
}

}  // namespace
}  // namespace moeprobe
