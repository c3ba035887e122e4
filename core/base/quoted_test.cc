#include "core/base/quoted.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using std::string_view_literals::operator""sv;

TEST(QuotedTest, LeavesPlainTextAlone) {
  EXPECT_EQ(Quoted("model.norm.weight"), "\"model.norm.weight\"");
}

TEST(QuotedTest, EscapesWhatATerminalOrALogWouldActOn) {
  EXPECT_EQ(Quoted("a\x1b[2J\n\"b\0\xff"sv), R"("a\x1b[2J\n\"b\x00\xff")");
}

TEST(QuotedTest, CutsLongText) {
  EXPECT_EQ(Quoted(std::string(100'000, 'x')),
            "\"" + std::string(200, 'x') + "...\"");
}

}  // namespace
}  // namespace moeprobe
