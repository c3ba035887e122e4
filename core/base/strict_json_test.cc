#include "core/base/strict_json.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using std::string_view_literals::operator""sv;
using testing::HasSubstr;

// The value of {"x": text}.
JsonValue Value(const std::string& text) {
  auto object = ParseJsonObject("{\"x\": " + text + "}");
  EXPECT_TRUE(object.ok()) << object.status();
  return object.ok() ? object->front().value : JsonValue();
}

TEST(ParseJsonObjectTest, KeepsValuesAndTheirOrder) {
  const auto object = ParseJsonObject(
      R"( {"b": [1, "two", null], "a": {"deep": true}, "c": "\u00e9"} )");
  ASSERT_TRUE(object.ok()) << object.status();
  ASSERT_EQ(object->size(), 3);
  EXPECT_EQ((*object)[0].key, "b");
  EXPECT_EQ(*(*FindMember(*object, "b")->array())[1].string(), "two");
  EXPECT_TRUE(
      *FindMember(*FindMember(*object, "a")->object(), "deep")->boolean());
  EXPECT_EQ(*FindMember(*object, "c")->string(), "\xc3\xa9");
  EXPECT_EQ(FindMember(*object, "d"), nullptr);
}

// What {"x": text} is as an integer; nullopt if it is none.
std::optional<int64_t> IntegerIn(const std::string& text) {
  const JsonValue value = Value(text);
  return value.integer() == nullptr ? std::nullopt
                                    : std::optional(*value.integer());
}

TEST(ParseJsonObjectTest, TellsIntegersFromOtherNumbers) {
  EXPECT_EQ(IntegerIn("9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(IntegerIn("-7"), -7);
  for (const char* text :
       {"1.0", "1e3", "-0", "9223372036854775808", "18446744073709551616",
        "-9223372036854775809", "1E2", "0.0"}) {
    EXPECT_EQ(IntegerIn(text), std::nullopt) << text;
    EXPECT_EQ(Value(text).Description(), text);
  }
}

TEST(ParseJsonObjectTest, ReadsAnyNumberAsDouble) {
  EXPECT_EQ(Value("8").number(), 8.0);
  EXPECT_EQ(Value("8.5").number(), 8.5);
  EXPECT_EQ(Value("1e3").number(), 1000.0);
  EXPECT_EQ(Value("\"8\"").number(), std::nullopt);
}

TEST(ParseJsonObjectTest, DescribesWhatWasFound) {
  EXPECT_EQ(Value("\"8\"").Description(), "the string \"8\"");
  EXPECT_EQ(Value("null").Description(), "null");
  EXPECT_EQ(Value("false").Description(), "false");
  EXPECT_EQ(Value("[1, 2]").Description(), "a list of 2");
  EXPECT_EQ(Value("{}").Description(), "an object");
}

void ExpectRefused(const std::string& text, const std::string& named) {
  SCOPED_TRACE(named);
  const absl::Status status = ParseJsonObject(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
  EXPECT_LT(status.message().size(), 600);
}

TEST(ParseJsonObjectTest, SaysWhatIsWrong) {
  ExpectRefused("", "at byte 1");
  ExpectRefused("{", "at byte 2");
  ExpectRefused("[]", "is a list, expected an object");
  ExpectRefused("3", "is 3, expected an object");
  ExpectRefused("null", "is null, expected an object");
  ExpectRefused("{} {}", "at byte 4");
  ExpectRefused(R"({"a": 1,})", "at byte 9");
  ExpectRefused(R"({"a": 1, "b": 2, "a": 3})", "\"a\" appears twice");
  ExpectRefused(R"({"a": {"b": 1, "b": 1}})", R"("b" appears twice in "a")");
  ExpectRefused(R"({"a": 1, "\u0061": 2})", "\"a\" appears twice");
  ExpectRefused(R"({"a": NaN})", "at byte 7");
  ExpectRefused(R"({"a": -Infinity})", "at byte 8");
  ExpectRefused(R"({"a": 1e999})", "at byte 11");
  ExpectRefused(R"({"a": 01})", "at byte 8");
  ExpectRefused(R"({'a': 1})", "at byte 2");
  ExpectRefused(R"({"a": 1} // x)", "at byte 10");
  ExpectRefused("\xEF\xBB\xBF{}", "byte order mark");
  ExpectRefused(std::string("{}\0{}"sv), "byte 3: a NUL");
  ExpectRefused("{\"\xff\": 1}", "UTF-8");
  ExpectRefused("{\"\xc0\x80\": 1}", "UTF-8");
  ExpectRefused("{\"\xed\xa0\x80\": 1}", "UTF-8");
  ExpectRefused(R"({"\ud800": 1})", "surrogate");
}

TEST(StrictJsonTest, LimitsDepth) {
  const auto nested = [](int depth) {
    return "{\"x\": " + std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']') + "}";
  };
  EXPECT_TRUE(ParseJsonObject(nested(31)).ok());
  EXPECT_THAT(std::string(ParseJsonObject(nested(32)).status().message()),
              HasSubstr("deeper than 32 levels"));
  EXPECT_THAT(std::string(ParseJsonObject(nested(100'000)).status().message()),
              HasSubstr("deeper than 32 levels"));
}

TEST(StrictJsonTest, LimitsTheValuesOfOneMember) {
  std::string text = "{\"x\": [0";
  for (int i = 0; i < 300'000; ++i) text += ",0";
  EXPECT_THAT(std::string(ParseJsonObject(text + "]}").status().message()),
              HasSubstr("\"x\" holds more than 262144 values"));
}

TEST(StrictJsonTest, KeepsHugeTokensOutOfMessages) {
  const std::string huge(5'000'000, 'x');
  const auto object = ParseJsonObject("{\"" + huge + "\": 1 1}");
  EXPECT_LT(object.status().message().size(), 600);
  const auto twice =
      ParseJsonObject(absl::StrCat("{\"", huge, "\": 1, \"", huge, "\": 1}"));
  EXPECT_LT(twice.status().message().size(), 600);
}

TEST(ForEachJsonMemberTest, StopsAtTheFirstErrorOfTheVisitor) {
  int visits = 0;
  const absl::Status status = ForEachJsonMember(
      R"({"a": 1, "b": 2, "c": 3})",
      [&](const std::string& key, const JsonValue&) {
        ++visits;
        return key == "b" ? absl::NotFoundError(key) : absl::OkStatus();
      });
  EXPECT_EQ(status, absl::NotFoundError("b"));
  EXPECT_EQ(visits, 2);
}

}  // namespace
}  // namespace moeprobe
