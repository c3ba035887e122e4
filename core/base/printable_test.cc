#include "core/base/printable.h"

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(PrintableLineTest, KeepsPlainTextAndOtherScripts) {
  EXPECT_EQ(PrintableLine("layer 3: 0.4 \u00B1 0.1, \u65E5\u672C"),
            "layer 3: 0.4 \u00B1 0.1, \u65E5\u672C");
}

TEST(PrintableLineTest, DisarmsEscapeSequencesOfBothKinds) {
  EXPECT_EQ(PrintableLine("\x1B[2Jgone\x07"), "\uFFFD[2Jgone\uFFFD");
  EXPECT_EQ(PrintableLine("\u009B31mred"), "\uFFFD31mred");
}

TEST(PrintableLineTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(PrintableLine("a\xFFz"), "a\uFFFDz");
}

TEST(PrintableLineTest, MakesOneLine) {
  EXPECT_EQ(PrintableLine("two\nlines\tof\rtext"), "two lines of text");
}

TEST(PrintableLinesTest, KeepsLineBreaksOnly) {
  EXPECT_EQ(PrintableLines("two\nlines\tof\x1Btext"),
            "two\nlines of\uFFFDtext");
}

}  // namespace
}  // namespace moeprobe
