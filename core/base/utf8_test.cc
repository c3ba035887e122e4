#include "core/base/utf8.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(DecodeUtf8Test, ReadsOneToFourBytes) {
  const std::map<std::string_view, std::pair<char32_t, size_t>> cases = {
      {"a", {'a', 1}},
      {"\u00B1x", {0xB1, 2}},
      {"\u2588", {0x2588, 3}},
      {"\U0001F600", {0x1F600, 4}}};
  for (const auto& [text, expected] : cases) {
    const auto character = DecodeUtf8(text);
    ASSERT_TRUE(character.has_value()) << text;
    EXPECT_EQ(character->code_point, expected.first);
    EXPECT_EQ(character->size_bytes, expected.second);
  }
}

TEST(DecodeUtf8Test, RefusesWhatIsNotUtf8) {
  for (const std::string_view text :
       {"", "\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x96",
        "\xFF", "\xC3x"}) {
    EXPECT_FALSE(DecodeUtf8(text).has_value());
  }
}

TEST(FindInvalidUtf8Test, AcceptsWellFormedText) {
  for (const char* text : {"", "ascii\n", "\u00e4\u07ff", "\u0800\ue000\uffff",
                           "\U00010000\U0010ffff"}) {
    EXPECT_FALSE(FindInvalidUtf8(text).has_value()) << text;
  }
  EXPECT_FALSE(FindInvalidUtf8(std::string("a\0b", 3)).has_value());
}

TEST(FindInvalidUtf8Test, FindsTheFirstBadByte) {
  for (const char* bytes :
       {"\x80", "\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3",
        "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98"}) {
    EXPECT_EQ(FindInvalidUtf8(std::string("ok") + bytes), 2);
  }
}

// What is found in a text that comes in two pieces, wherever it is cut, and in
// single bytes.
void ExpectSameInPieces(const std::string& text) {
  const auto expected = FindInvalidUtf8(text);
  Utf8Check bytes;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Check halves;
    halves.Append(text.substr(0, cut));
    EXPECT_EQ(halves.FindInvalid(), FindInvalidUtf8(text.substr(0, cut)));
    halves.Append(text.substr(cut));
    EXPECT_EQ(halves.FindInvalid(), expected) << text << " cut at " << cut;
    bytes.Append(text.substr(cut, 1));
  }
  EXPECT_EQ(bytes.FindInvalid(), expected) << text;
}

TEST(Utf8CheckTest, FindsTheSameWhereverATextIsCut) {
  for (const char* bytes :
       {"", "\x80", "\xff", "\xc0\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xc3", "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98",
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    ExpectSameInPieces(std::string("ok") + bytes);
    ExpectSameInPieces(std::string("\xc3\xa9") + bytes + "\xf0\x9f\x98\x80 so");
  }
}

TEST(CountCharactersTest, CountsBrokenBytesOneByOne) {
  EXPECT_EQ(CountCharacters(""), 0U);
  EXPECT_EQ(CountCharacters("a\u00B1\u2588"), 3U);
  EXPECT_EQ(CountCharacters("a\xFF\xFFz"), 4U);
}

TEST(IsControlTest, KnowsTerminalControlsAndReordering) {
  for (const char32_t control : {0x00, 0x1B, 0x7F, 0x9B, 0x202E, 0x2066}) {
    EXPECT_TRUE(IsControl(control)) << static_cast<int>(control);
  }
  for (const char32_t other : {0x20, 0x7E, 0xA0, 0x2028, 0x1F600}) {
    EXPECT_FALSE(IsControl(other)) << static_cast<int>(other);
  }
}

}  // namespace
}  // namespace moeprobe
