#include "client/result/array_verifier.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

v1::ArrayInfo Info(const std::string& name, const std::string& bytes) {
  v1::ArrayInfo info;
  info.set_name(name);
  info.set_sha256(Sha256Hex(bytes));
  info.set_size_bytes(static_cast<int64_t>(bytes.size()));
  return info;
}

v1::ArrayChunk Head(const v1::ArrayInfo& info, const std::string& data) {
  v1::ArrayChunk chunk;
  *chunk.mutable_info() = info;
  chunk.set_data(data);
  return chunk;
}

v1::ArrayChunk More(const std::string& data) {
  v1::ArrayChunk chunk;
  chunk.set_data(data);
  return chunk;
}

ArrayVerifier Over(std::vector<v1::ArrayChunk> chunks) {
  return ArrayVerifier([chunks, next = size_t{0}]() mutable
                           -> absl::StatusOr<std::optional<v1::ArrayChunk>> {
    if (next == chunks.size()) return std::nullopt;
    return chunks[next++];
  });
}

// All bytes of `array`, or the error.
absl::StatusOr<std::string> ReadAll(ArrayVerifier& verifier,
                                    const v1::ArrayInfo& array) {
  std::string bytes;
  while (true) {
    const auto piece = verifier.NextPiece(array);
    if (!piece.ok()) return piece.status();
    if (piece->empty()) return bytes;
    bytes += *piece;
  }
}

std::string ErrorOf(std::vector<v1::ArrayChunk> chunks) {
  ArrayVerifier verifier = Over(std::move(chunks));
  const auto bytes = ReadAll(verifier, Info("a", "bytes"));
  EXPECT_TRUE(absl::IsDataLoss(bytes.status()));
  return std::string(bytes.status().message());
}

TEST(ArrayVerifierTest, SeparatesArrays) {
  const v1::ArrayInfo a = Info("a", "bytes");
  const v1::ArrayInfo b = Info("b", "x");
  ArrayVerifier verifier =
      Over({Head(a, ""), More("byt"), More(""), More("es"), Head(b, "x")});
  EXPECT_EQ(*ReadAll(verifier, a), "bytes");
  EXPECT_EQ(*ReadAll(verifier, b), "x");
}

TEST(ArrayVerifierTest, RefusesDamage) {
  const v1::ArrayInfo a = Info("a", "bytes");
  EXPECT_THAT(ErrorOf({Head(a, "bytez")}), HasSubstr("found SHA-256"));
  EXPECT_THAT(ErrorOf({Head(a, "bytes and more")}), HasSubstr("SHA-256"));
  EXPECT_THAT(ErrorOf({Head(a, "byt")}), HasSubstr("ended before its end"));
  EXPECT_THAT(ErrorOf({Head(a, "byt"), Head(a, "es")}),
              HasSubstr("went on to another"));
  EXPECT_THAT(ErrorOf({Head(Info("b", "x"), "x")}),
              HasSubstr("found \"b\" in its place"));
  EXPECT_THAT(ErrorOf({More("bytes")}), HasSubstr("has no head"));
  EXPECT_THAT(ErrorOf({}), HasSubstr("ended before its end"));
}

}  // namespace
}  // namespace moeprobe
