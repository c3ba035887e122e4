#include "core/base/npy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// A .npy of format 1.0 with any header text.
std::string Npy(std::string header, std::string_view data) {
  header.push_back('\n');
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy.push_back(static_cast<char>(header.size() & 0xFF));
  npy.push_back(static_cast<char>(header.size() >> 8));
  return npy + header + std::string(data);
}

std::string Ids(const std::string& descr, int64_t count,
                std::string_view data) {
  return Npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" +
                 std::to_string(count) + ",), }",
             data);
}

// numpy.save(numpy.zeros((2, 3), 'i8')) of numpy 2.4.
TEST(EncodeNpyTest, WritesWhatNumpySaves) {
  const std::string header =
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }" +
      std::string(58, ' ');
  const Array array = {.type = DataType::kInt64,
                       .shape = {2, 3},
                       .bytes = std::string(48, '\0')};
  EXPECT_EQ(EncodeNpy(array), Npy(header, std::string(48, '\0')));
}

TEST(EncodeNpyTest, AlignsTheNumbers) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{}, {0}, {5}, {123456789, 0}, {1, 1, 1, 1, 0}}) {
    const size_t bytes = static_cast<size_t>(EntryCount(shape)) * 8;
    const Array array = {.type = DataType::kFloat64,
                         .shape = shape,
                         .bytes = std::string(bytes, 1)};
    EXPECT_EQ((EncodeNpy(array).size() - array.bytes.size()) % 64, 0);
  }
}

TEST(DecodeNpyTest, ReturnsWhatWasEncoded) {
  for (const Array& array :
       {Array{.type = DataType::kFloat64,
              .shape = {2, 2},
              .bytes = BytesOf<double>({1, -2, 0.5, 1e300})},
        Array{.type = DataType::kFloat32,
              .shape = {3},
              .bytes = BytesOf<float>({1, 2, 3})},
        Array{.type = DataType::kInt64,
              .shape = {},
              .bytes = BytesOf<int64_t>({-7})},
        Array{.type = DataType::kFloat32, .shape = {4, 0, 2}, .bytes = ""}}) {
    const auto decoded = DecodeNpy(EncodeNpy(array));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->type, array.type);
    EXPECT_EQ(decoded->shape, array.shape);
    EXPECT_EQ(decoded->bytes, array.bytes);
  }
}

TEST(DecodeNpyTest, ReadsFormatTwo) {
  std::string npy("\x93NUMPY\x02\x00\x3b\x00\x00\x00", 12);
  npy += "{'shape': (1,), 'fortran_order': False, 'descr': '<f8'}   \n";
  npy += BytesOf<double>({3});
  const auto decoded = DecodeNpy(npy);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->bytes, BytesOf<double>({3}));
}

TEST(DecodeNpyTest, RefusesEveryTruncationAndExtraBytes) {
  const std::string npy = EncodeNpy({.type = DataType::kFloat64,
                                     .shape = {2},
                                     .bytes = BytesOf<double>({1, 2})});
  for (size_t size = 0; size < npy.size(); ++size) {
    EXPECT_EQ(DecodeNpy(npy.substr(0, size)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
  EXPECT_THAT(std::string(DecodeNpy(npy + "x").status().message()),
              HasSubstr("17 bytes after the header"));
}

void ExpectNoArray(const std::string& npy, const std::string& named) {
  const absl::Status status = DecodeNpy(npy).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
}

TEST(DecodeNpyTest, SaysWhatIsWrong) {
  ExpectNoArray("PK\x03\x04 not a .npy at all", "magic string");
  ExpectNoArray(std::string("\x93NUMPY\x03\x00\x00\x00\x00\x00", 12),
                "format 3.0, expected 1.0 or 2.0");
  ExpectNoArray(Npy("", ""), "expected {");
  ExpectNoArray(Npy("{}", ""), "descr, fortran_order and shape");
  ExpectNoArray(Npy("{'descr': '<f8', 'fortran_order': False}", ""),
                "descr, fortran_order and shape");
  ExpectNoArray(Npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, "
                    "'shape': ()}",
                    "12345678"),
                "once each");
  ExpectNoArray(Npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), "
                    "'x': 1}",
                    "12345678"),
                "once each");
  ExpectNoArray(Npy("{'descr': '<f8', 'fortran_order': 0, 'shape': ()}", ""),
                "expected True or False");
  ExpectNoArray(
      Npy("{'descr': '<f8', 'fortran_order': True, 'shape': ()}", "12345678"),
      "C order");
  ExpectNoArray(
      Npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': "
          "()}",
          ""),
      "expected '");
  ExpectNoArray(Npy("{'descr': '|O', 'fortran_order': False, 'shape': ()}", ""),
                "\"|O\"");
  ExpectNoArray(
      Npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", ""),
      "expected a dimension");
  ExpectNoArray(
      Npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1)}", "12345678"),
      "after the only dimension");
  ExpectNoArray(Npy("{'descr': '<f8', 'fortran_order': False, 'shape': "
                    "(9223372036854775807, 2)}",
                    ""),
                "more than 2^63 bytes");
  ExpectNoArray(Npy("{'descr': '<f8', 'fortran_order': False, 'shape': "
                    "(9223372036854775808,)}",
                    ""),
                "expected a dimension");
  ExpectNoArray(Npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()} + "
                    "exit()",
                    "12345678"),
                "is \"+\", expected a line feed");
}

TEST(DecodeTokenIdsTest, ReadsEveryIntegerTypeAndByteOrder) {
  const auto expect = [](const std::string& npy) {
    const auto ids = DecodeTokenIds(npy);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_THAT(*ids, ElementsAre(0, 1, 127));
  };
  expect(Ids("|i1", 3, BytesOf<int8_t>({0, 1, 127})));
  expect(Ids("|u1", 3, BytesOf<uint8_t>({0, 1, 127})));
  expect(Ids("<i2", 3, BytesOf<int16_t>({0, 1, 127})));
  expect(Ids("<u4", 3, BytesOf<uint32_t>({0, 1, 127})));
  expect(Ids("<i8", 3, BytesOf<int64_t>({0, 1, 127})));
  expect(Ids(">i2", 3, {"\0\0\0\1\0\x7f", 6}));
  expect(Ids(">u4", 3, {"\0\0\0\0\0\0\0\1\0\0\0\x7f", 12}));
}

TEST(DecodeTokenIdsTest, ReturnsWhatWasEncoded) {
  const std::vector<int32_t> ids = {0, 5, std::numeric_limits<int32_t>::max()};
  const auto decoded = DecodeTokenIds(EncodeTokenIds(ids));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, ids);
  EXPECT_THAT(*DecodeTokenIds(EncodeTokenIds({})), IsEmpty());
}

// What is found in token ids that come in pieces of so many bytes.
absl::StatusOr<TokenIdSummary> CheckInPieces(std::string_view npy,
                                             size_t piece) {
  TokenIdCheck check(static_cast<int64_t>(npy.size()));
  for (size_t start = 0; start < npy.size(); start += piece) {
    check.Append(npy.substr(start, piece));
  }
  return check.End();
}

constexpr std::array<size_t, 5> kPieces = {1, 3, 7, 64, 1000000};

void ExpectNoIds(const std::string& npy, const std::string& named) {
  const absl::Status status = DecodeTokenIds(npy).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
  for (const size_t piece : kPieces) {
    EXPECT_EQ(CheckInPieces(npy, piece).status(), status) << piece;
  }
}

TEST(DecodeTokenIdsTest, SaysWhatIsWrong) {
  ExpectNoIds(Ids("<i4", 2, BytesOf<int32_t>({3, -1})),
              "token id 1 is -1, expected a number in [0, 2^31)");
  ExpectNoIds(Ids("<u4", 1, BytesOf<uint32_t>({0x80000000U})),
              "token id 0 is 2147483648");
  ExpectNoIds(Ids("<u8", 1, BytesOf<uint64_t>({~uint64_t{0}})),
              "token id 0 is 18446744073709551615");
  ExpectNoIds(Ids("<f8", 1, BytesOf<double>({1})), "expected an integer type");
  ExpectNoIds(Ids("|b1", 1, "\1"), "expected an integer type");
  ExpectNoIds(Ids("<i4", 2, BytesOf<int32_t>({1})), "4 bytes after the header");
  ExpectNoIds(Npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1)}",
                  BytesOf<int32_t>({1})),
              "expected one dimension");
}

TEST(TokenIdCheckTest, SummarisesIdsOfPiecesOfAnySize) {
  std::vector<int32_t> ids(50000, 7);  // more than a header could be
  ids[30000] = std::numeric_limits<int32_t>::max();
  for (const std::string& npy :
       {EncodeTokenIds(ids), Ids(">u2", 3, {"\0\0\0\1\0\x7f", 6}),
        EncodeTokenIds({})}) {
    for (const size_t piece : kPieces) {
      const auto found = CheckInPieces(npy, piece);
      ASSERT_TRUE(found.ok()) << found.status() << piece;
      const std::vector<int32_t> all = *DecodeTokenIds(npy);
      EXPECT_EQ(found->count, std::ssize(all));
      EXPECT_EQ(found->largest,
                all.empty() ? -1 : *std::ranges::max_element(all));
    }
  }
}

TEST(TokenIdCheckTest, CountsIdsInFrontOfABadOne) {
  std::vector<int32_t> ids(50000, 7);
  ids[40000] = -1;
  ExpectNoIds(EncodeTokenIds(ids), "token id 40000 is -1");
}

TEST(TokenIdCheckTest, KeepsNoMoreThanAHeader) {
  std::string npy("\x93NUMPY\x02\x00\xff\xff\xff\x0f", 12);
  npy.resize(200000, ' ');
  ExpectNoIds(npy, "a header of 268435467 bytes, expected at most 65547");
}

}  // namespace
}  // namespace moeprobe
