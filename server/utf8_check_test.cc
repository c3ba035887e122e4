#include "server/utf8_check.h"

#include <string>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(Utf8CheckTest, AcceptsWellFormedText) {
  for (const char* text : {"", "ascii\n", "\u00e4\u07ff", "\u0800\ue000\uffff",
                           "\U00010000\U0010ffff"}) {
    EXPECT_FALSE(FindInvalidUtf8(text).has_value()) << text;
  }
  EXPECT_FALSE(FindInvalidUtf8(std::string("a\0b", 3)).has_value());
}

TEST(Utf8CheckTest, FindsTheFirstBadByte) {
  for (const char* bytes :
       {"\x80", "\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3",
        "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98"}) {
    EXPECT_EQ(FindInvalidUtf8(std::string("ok") + bytes), 2);
  }
}

}  // namespace
}  // namespace moeprobe
