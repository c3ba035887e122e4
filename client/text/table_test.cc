#include "client/text/table.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(FormatTableTest, AlignsByCharactersNotBytes) {
  EXPECT_EQ(FormatTable(
                {RightColumn("layer"), LeftColumn("mean"), LeftColumn("name")},
                {{"3", "0.1 \u00B1 0.2", "a"}, {"16", "\u2013", "b"}}, 80),
            "layer  mean       name\n"
            "    3  0.1 \u00B1 0.2  a\n"
            "   16  \u2013          b\n");
}

TEST(FormatTableTest, NamesGroupsOnceAboveTheirColumns) {
  EXPECT_EQ(
      FormatTable({LeftColumn("x"), LeftColumn("routed", "cosine"),
                   LeftColumn("gate", "cosine"), LeftColumn("rank", "PCA")},
                  {{"1", "0.25", "0.50", "7"}}, 80),
      "   \u2500\u2500 cosine \u2500\u2500  PCA\n"
      "x  routed  gate  rank\n"
      "1  0.25    0.50  7\n");
}

TEST(FormatTableTest, ContinuesBelowWhatDoesNotFit) {
  EXPECT_EQ(FormatTable({LeftColumn("id"), LeftColumn("aaaa"),
                         LeftColumn("bbbb"), LeftColumn("cccc")},
                        {{"7", "1", "2", "3"}}, 14),
            "id  aaaa  bbbb\n"
            "7   1     2\n"
            "\n"
            "id  cccc\n"
            "7   3\n");
}

TEST(FormatTableTest, KeepsAColumnWiderThanTheScreen) {
  EXPECT_EQ(FormatTable({LeftColumn("id"), LeftColumn("very long title"),
                         LeftColumn("b")},
                        {}, 10),
            "id  very long title\n\nid  b\n");
}

}  // namespace
}  // namespace moeprobe
