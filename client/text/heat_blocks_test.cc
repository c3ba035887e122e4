#include "client/text/heat_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HeatBlocksTest, ShowsLargerEntriesDarker) {
  const SquareMatrix matrix{.entries = {1, 0, 0.5, 0, 1, 1, 0.5, 1, 1},
                            .size = 3};
  EXPECT_EQ(HeatBlocks(matrix, 80, /*colours=*/false),
            "   0 \u00B7\u00B7  \u2592\u2592\n"
            "   1   \u00B7\u00B7\u2588\u2588\n"
            "   2 \u2592\u2592\u2588\u2588\u00B7\u00B7\n"
            "        0 to 1 \u2588\u2588\n");
}

TEST(HeatBlocksTest, UsesTheTerminalsColours) {
  const SquareMatrix matrix{.entries = {1, 0, 1, 1}, .size = 2};
  const std::string text = HeatBlocks(matrix, 80, /*colours=*/true);
  EXPECT_THAT(text, HasSubstr("\033[48;5;255m  \033[0m"));
  EXPECT_THAT(text, HasSubstr("\033[48;5;234m  \033[0m"));
}

TEST(HeatBlocksTest, ShowsWhatIsNoNumberAsADot) {
  const double none = std::nan("");
  const SquareMatrix matrix{.entries = {1, none, none, 1}, .size = 2};
  EXPECT_EQ(HeatBlocks(matrix, 80, false),
            "   0 \u00B7\u00B7\u00B7\u00B7\n   1 \u00B7\u00B7\u00B7\u00B7\n");
}

TEST(HeatBlocksTest, AveragesNeighboursWhereRowsAreTooWide) {
  constexpr int64_t kSize = 60;
  std::vector<double> entries(kSize * kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    for (int64_t j = 0; j < kSize; ++j) {
      entries[static_cast<size_t>(i * kSize + j)] = i < 30 ? 0 : 1;
    }
  }
  const std::string text =
      HeatBlocks({.entries = entries, .size = kSize}, 35, false);
  EXPECT_THAT(text, HasSubstr("means of 2 x 2"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 31);
  EXPECT_THAT(HeatBlocks({.entries = entries, .size = kSize}, 70, false),
              Not(HasSubstr("means")));
}

TEST(HeatBlocksTest, HasOneShadeWhereAllIsEqual) {
  const SquareMatrix matrix{.entries = {1, 3, 3, 1}, .size = 2};
  EXPECT_THAT(HeatBlocks(matrix, 80, false), HasSubstr("3 to 3"));
}

}  // namespace
}  // namespace moeprobe
