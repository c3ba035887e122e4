#include "core/checkpoint/safetensors_header.h"

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/checkpoint/header_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

absl::StatusOr<SafetensorsHeader> Parse(std::string_view file) {
  return ParseSafetensorsHeader(std::as_bytes(std::span(file)), file.size());
}

// One tensor called "t", as a header has it.
std::string Entry(const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return absl::StrCat(R"("t":{"dtype":)", dtype, R"(,"shape":)", shape,
                      R"(,"data_offsets":)", offsets, "}");
}

std::string OneTensor(const std::string& dtype, const std::string& shape,
                      const std::string& offsets, size_t data_bytes) {
  return RawSafetensors(absl::StrCat("{", Entry(dtype, shape, offsets), "}"),
                        std::string(data_bytes, 'x'));
}

// Two tensors of 8 bytes in a file whose data are `data_bytes` long.
std::string TwoTensors(const std::string& first, const std::string& second,
                       size_t data_bytes) {
  return RawSafetensors(
      absl::StrCat(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)", first,
                   R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)",
                   second, "}}"),
      std::string(data_bytes, 'x'));
}

std::string SmallGoodFile() {
  return SafetensorsBytes(
      {{.name = "model.norm.weight",
        .dtype = "F32",
        .shape = {2},
        .bytes = "12345678"},
       {.name = "lm_head.weight",
        .dtype = "BF16",
        .shape = {2, 2},
        .bytes = "12345678"},
       {.name = "scalar", .dtype = "F16", .shape = {}, .bytes = "12"}});
}

// Fit for a log: one printable line that a terminal does not act on.
void ExpectOneClearLine(const absl::Status& status) {
  const std::string message(status.message());
  EXPECT_FALSE(message.empty());
  EXPECT_LT(message.size(), 1500);
  for (const char c : message) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << message;
  }
}

void ExpectRefused(const std::string& what, const std::string& file,
                   const std::string& named,
                   absl::StatusCode code = absl::StatusCode::kDataLoss) {
  SCOPED_TRACE(what);
  const absl::Status status = Parse(file).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
  ExpectOneClearLine(status);
}

TEST(SafetensorsHeaderTest, RefusesAWrongLength) {
  const std::string good = SmallGoodFile();
  ExpectRefused("empty", "", "is 0 bytes, expected at least the 8");
  ExpectRefused("one byte", "x", "is 1 bytes");
  ExpectRefused("seven bytes", "1234567", "is 7 bytes");
  ExpectRefused("no header", HeaderLengthBytes(0), "not valid JSON at byte 1");
  ExpectRefused("2^64 - 1", HeaderLengthBytes(~uint64_t{0}) + good,
                "the header claims 18446744073709551615 bytes");
  ExpectRefused("2^63", HeaderLengthBytes(uint64_t{1} << 63) + good,
                "the header claims 9223372036854775808 bytes");
  ExpectRefused("beyond the format", HeaderLengthBytes(100'000'001) + good,
                "the header claims 100000001 bytes");
  ExpectRefused("one past the end",
                HeaderLengthBytes(good.size() - 7) + good.substr(8),
                "expected at most the");
  ExpectRefused("beyond a small file's share",
                HeaderLengthBytes(9 << 20) + std::string(12 << 20, ' '),
                "the header claims 9437184 bytes, expected at most 8388608");
}

TEST(SafetensorsHeaderTest, RefusesTextThatIsNoJsonObject) {
  ExpectRefused("cut", RawSafetensors("{"), "not valid JSON at byte 2");
  ExpectRefused("0xFF", RawSafetensors("{\"\xff\":1}"), "UTF-8");
  ExpectRefused("overlong", RawSafetensors("{\"\xc0\x80\":1}"), "UTF-8");
  ExpectRefused("surrogate", RawSafetensors("{\"\xed\xa0\x80\":1}"), "UTF-8");
  ExpectRefused("byte order mark", RawSafetensors("\xef\xbb\xbf{}"),
                "byte order mark");
  ExpectRefused("array", RawSafetensors("[]"), "is a list, expected an object");
  ExpectRefused("number", RawSafetensors("7"), "is 7, expected an object");
  ExpectRefused("null", RawSafetensors("null"), "is null, expected an object");
  ExpectRefused("hidden after a NUL",
                RawSafetensors(std::string_view("{}\0{}", 5)), "a NUL");
  ExpectRefused("deep",
                RawSafetensors(std::string("{\"t\":").append(100'000, '[')),
                "nested deeper than 32 levels");
  ExpectRefused("spaces only", RawSafetensors(std::string(8 << 20, ' ')),
                "not valid JSON");
  ExpectRefused("endless string",
                RawSafetensors(std::string("{\"").append((8 << 20) - 2, 'x')),
                "not valid JSON");
}

TEST(SafetensorsHeaderTest, RefusesDuplicateKeys) {
  const std::string entry = Entry(R"("F32")", "[2]", "[0,8]");
  ExpectRefused(
      "tensor",
      RawSafetensors(absl::StrCat("{", entry, ",", entry, "}"), "12345678"),
      "key \"t\" appears twice");
  ExpectRefused(
      "dtype",
      RawSafetensors(R"({"t":{"dtype":"F32","dtype":"F32","shape":[2],)"
                     R"("data_offsets":[0,8]}})",
                     "12345678"),
      R"(key "dtype" appears twice in "t")");
  ExpectRefused("metadata",
                RawSafetensors(R"({"__metadata__":{},"__metadata__":{}})"),
                "key \"__metadata__\" appears twice");
  ExpectRefused("inside metadata",
                RawSafetensors(R"({"__metadata__":{"a":"1","a":"2"}})"),
                R"(key "a" appears twice in "__metadata__")");
}

TEST(SafetensorsHeaderTest, RefusesEntriesOfAnotherForm) {
  ExpectRefused("metadata no object", RawSafetensors(R"({"__metadata__":"x"})"),
                "__metadata__ is the string \"x\", expected an object");
  ExpectRefused("metadata no string",
                RawSafetensors(R"({"__metadata__":{"a":1}})"),
                "__metadata__ \"a\" is 1, expected a string");
  ExpectRefused("no object", RawSafetensors(R"({"t":3})"),
                "tensor \"t\": is 3");
  ExpectRefused("key missing",
                RawSafetensors(R"({"t":{"dtype":"F32","shape":[]}})"),
                "tensor \"t\": is an object, expected an object of dtype");
  ExpectRefused(
      "key unknown",
      RawSafetensors(R"({"t":{"dtype":"F32","shape":[],"offsets":[0,4]}})"),
      "has the key \"offsets\"");
  ExpectRefused("dtype no string", OneTensor("1", "[]", "[0,4]", 4),
                "dtype is 1, expected a string");
  ExpectRefused("shape no list", OneTensor(R"("F32")", "2", "[0,8]", 8),
                "shape is 2, expected a list");
  ExpectRefused("three offsets", OneTensor(R"("F32")", "[2]", "[0,4,8]", 8),
                "data_offsets are [0, 4, 8], expected a begin and an end");
  ExpectRefused("rank",
                OneTensor(R"("F32")", "[1,1,1,1,1,1,1,1,1]", "[0,4]", 4),
                "shape is a list of 9, expected at most 8");
  ExpectRefused("long name",
                RawSafetensors(
                    std::string("{\"").append(1'000'000, 'n').append("\":{}}")),
                "has a name of 1000000 bytes, expected at most 1024");
  ExpectRefused("NUL in a name", RawSafetensors(R"({"a\u0000b":{}})"),
                "has a control character in its name");
}

TEST(SafetensorsHeaderTest, RefusesSizesThatAreNoPlainIntegers) {
  for (const char* size : {"-1", "1.0", "1e3", "\"2\"", "null", "-0", "true",
                           "18446744073709551616", "9223372036854775808"}) {
    ExpectRefused(
        absl::StrCat("shape ", size),
        OneTensor(R"("F32")", absl::StrCat("[", size, "]"), "[0,8]", 8),
        "expected an integer in [0, 2^63)");
    ExpectRefused(
        absl::StrCat("offset ", size),
        OneTensor(R"("F32")", "[2]", absl::StrCat("[", size, ",8]"), 8),
        "expected an integer in [0, 2^63)");
  }
}

TEST(SafetensorsHeaderTest, RefusesShapesThatOverflowOrDoNotFill) {
  ExpectRefused("2^64 - 2",
                OneTensor(R"("F32")", "[2,18446744073709551614]", "[0,8]", 8),
                "expected an integer in [0, 2^63)");
  ExpectRefused("product",
                OneTensor(R"("F32")", "[4294967296,4294967296]", "[0,8]", 8),
                "needs more than 2^63 bits");
  ExpectRefused(
      "times bits",
      OneTensor(R"("F32")", "[1,9223372036854775807]", "[0,8]", 8),
      "shape [1, 9223372036854775807] of F32 needs more than 2^63 bits");
  ExpectRefused("half a byte", OneTensor(R"("F4")", "[3]", "[0,2]", 2),
                "shape [3] of F4 does not fill whole bytes");
  ExpectRefused(
      "span", OneTensor(R"("BF16")", "[64,8]", "[0,1000]", 1000),
      "data_offsets span 1000 bytes, shape [64, 8] of BF16 needs 1024");
}

TEST(SafetensorsHeaderTest, RefusesHolesOverlapsAndBytesToSpare) {
  std::string crowd = "{";
  for (int i = 0; i < 100'000; ++i) {
    absl::StrAppend(&crowd, i == 0 ? "" : ",", "\"", i,
                    R"(":{"dtype":"U8","shape":[64],"data_offsets":[0,64]})");
  }
  ExpectRefused("100,000 tensors on the same bytes",
                RawSafetensors(crowd + "}", std::string(64, 'x')),
                "begins at byte 0 of the data, expected 64");
  ExpectRefused("overlap", TwoTensors("[0,8]", "[7,15]", 15),
                "\"b\": begins at byte 7 of the data, expected 8");
  ExpectRefused("hole", TwoTensors("[0,8]", "[9,17]", 17),
                "\"b\": begins at byte 9 of the data, expected 8");
  ExpectRefused("late start", TwoTensors("[1,9]", "[9,17]", 17),
                "\"a\": begins at byte 1 of the data, expected 0");
  ExpectRefused(
      "begin after end", TwoTensors("[8,0]", "[8,16]", 16),
      "data_offsets are [8, 0], expected a begin and an end not before it");
  ExpectRefused("past the end", TwoTensors("[0,8]", "[8,16]", 12),
                "accounts for 16 bytes of data, found 12");
  ExpectRefused("trailing bytes",
                TwoTensors("[0,8]", "[8,16]", 16) + "PK\x03\x04",
                "accounts for 16 bytes of data, found 20");
  ExpectRefused("two bytes short", TwoTensors("[0,8]", "[8,16]", 14),
                "accounts for 16 bytes of data, found 14");
  ExpectRefused("data without tensors", RawSafetensors("{}", "x"),
                "accounts for 0 bytes of data, found 1");
}

TEST(SafetensorsHeaderTest, NamesWhatIsNotSupported) {
  constexpr absl::StatusCode kUnimplemented = absl::StatusCode::kUnimplemented;
  ExpectRefused("unknown dtype", OneTensor(R"("F8_X")", "[2]", "[0,2]", 2),
                R"(tensor "t": dtype is "F8_X")", kUnimplemented);
  ExpectRefused("lower case", OneTensor(R"("f32")", "[2]", "[0,8]", 8),
                "dtype is \"f32\"", kUnimplemented);
  ExpectRefused("zip", "PK\x03\x04 and then the rest of an archive",
                "is a zip archive as torch.save writes", kUnimplemented);
  ExpectRefused("pickle", "\x80\x02}q\x01(X\x05 and the rest", "is a pickle",
                kUnimplemented);
  ExpectRefused("Git LFS pointer",
                "version https://git-lfs.github.com/spec/v1\noid",
                "is a Git LFS pointer", absl::StatusCode::kDataLoss);
}

TEST(SafetensorsHeaderTest, AcceptsWhatTheFormatAllows) {
  EXPECT_THAT(Parse(RawSafetensors("{}"))->tensors, IsEmpty());
  EXPECT_THAT(Parse(RawSafetensors(" \t\r\n{}  "))->tensors, IsEmpty());
  EXPECT_THAT(
      Parse(RawSafetensors(R"({"__metadata__":{"format":"pt"}})"))->tensors,
      IsEmpty());
  EXPECT_THAT(Parse(OneTensor(R"("F32")", "[]", "[0,4]", 4))->tensors,
              SizeIs(1));
  EXPECT_THAT(Parse(OneTensor(R"("F32")", "[2,0]", "[0,0]", 0))->tensors,
              SizeIs(1));
  EXPECT_THAT(Parse(OneTensor(R"("F4")", "[4]", "[0,2]", 2))->tensors,
              SizeIs(1));
  const auto odd_name = Parse(RawSafetensors(
      R"({"../../etc/x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
      "x"));
  EXPECT_EQ(odd_name->tensors[0].name, "../../etc/x");
}

TEST(SafetensorsHeaderTest, SortsTensorsByTheirBytes) {
  const std::string file = TwoTensors("[8,16]", "[0,8]", 16);
  const auto header = Parse(file);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->tensors[0].name, "b");
  EXPECT_EQ(header->tensors[1].begin, 8);
  EXPECT_EQ(header->data_begin, file.size() - 16);
}

TEST(SafetensorsHeaderTest, KeepsNamesApartThatOnlyNormalisationEquates) {
  const auto header = Parse(SafetensorsBytes(
      {{.name = "caf\xc3\xa9", .dtype = "U8", .shape = {1}, .bytes = "x"},
       {.name = "cafe\xcc\x81", .dtype = "U8", .shape = {1}, .bytes = "x"}}));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_THAT(header->tensors, SizeIs(2));
}

TEST(SafetensorsHeaderTest, RefusesEveryTruncation) {
  const std::string file = SmallGoodFile();
  ASSERT_TRUE(Parse(file).ok());
  for (size_t size = 0; size < file.size(); ++size) {
    const absl::Status status = Parse(file.substr(0, size)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size;
    ExpectOneClearLine(status);
  }
}

// Opens, or gives one clear error; the sanitizers watch.
void ExpectHarmless(const std::string& file) {
  const auto header = Parse(file);
  if (header.ok()) {
    int64_t bytes = 0;
    for (const HeaderTensor& tensor : header->tensors) {
      bytes += tensor.end - tensor.begin;
    }
    EXPECT_EQ(bytes, file.size() - header->data_begin);
  } else {
    ExpectOneClearLine(header.status());
  }
}

TEST(SafetensorsHeaderTest, SurvivesEveryFlippedBit) {
  const std::string good = SmallGoodFile();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string file = good;
    file[bit / 8] = static_cast<char>(file[bit / 8] ^ (1 << bit % 8));
    ExpectHarmless(file);
  }
}

TEST(SafetensorsHeaderTest, SurvivesSeededMutations) {
  const std::string good = SmallGoodFile();
  const std::string data = good.substr(good.size() - 18);
  const std::vector<std::string_view> tokens = {
      "{",    "}",   "[",     "]", ",",       ":",
      "\"",   "-1",  "1e309", "0", "\\u0000", "99999999999999999999",
      "null", "\xff"};
  uint32_t random = 1;
  const auto next = [&](size_t bound) {
    random = random * 1664525 + 1013904223;  // Numerical Recipes
    return (random >> 8) % bound;
  };
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string header = good.substr(8, good.size() - 8 - data.size());
    for (size_t i = next(4) + 1; i-- > 0;) {
      header.replace(next(header.size()), next(3), tokens[next(tokens.size())]);
    }
    ExpectHarmless(RawSafetensors(header, data));
  }
}

int64_t PeakResidentBytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

TEST(SafetensorsHeaderTest, KeepsMemoryBoundedOnTheLargestHeaders) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  constexpr size_t kLargest = 8 << 20;
  std::vector<std::string> headers = {"{\"t\":[", R"({"t":{"shape":[)", "{"};
  while (headers[0].size() + 3 < kLargest) headers[0] += "[],";
  while (headers[1].size() + 2 < kLargest) headers[1] += "0,";
  for (int i = 0; headers[2].size() + 100 < kLargest; ++i) {
    absl::StrAppend(&headers[2], "\"", i,
                    R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)");
  }
  for (std::string& header : headers) header = RawSafetensors(header);
  const int64_t before = PeakResidentBytes();
  for (const std::string& file : headers) {
    EXPECT_EQ(Parse(file).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_LT(PeakResidentBytes() - before, 64 << 20);
}

}  // namespace
}  // namespace moeprobe
