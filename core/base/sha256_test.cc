#include "core/base/sha256.h"

#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// FIPS 180-4 examples.
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256Test, AgreesWithPublishedExamples) {
  EXPECT_EQ(Sha256Hex("abc"), kOfAbc);
  EXPECT_EQ(Sha256Hex(""), kOfNothing);
}

TEST(Sha256Test, DoesNotDependOnHowBytesAreCut) {
  Sha256 sha256;
  sha256.Update("a");
  sha256.Update("");
  sha256.Update("bc");
  EXPECT_EQ(sha256.Hex(), kOfAbc);
}

TEST(Sha256Test, OfAFileIsThatOfItsContent) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "sha256_test.bin";
  const std::string content(3'000'000, 'x');
  std::ofstream(path, std::ios::binary) << content;
  const auto digest = Sha256OfFile(path);
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, Sha256Hex(content));
}

TEST(Sha256Test, OfAMissingFileIsNotFound) {
  const auto digest = Sha256OfFile("/nonexistent/weights");
  EXPECT_EQ(digest.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(digest.status().message()),
              testing::HasSubstr("/nonexistent/weights"));
}

TEST(Sha256Test, OfADirectoryIsRefused) {
  const auto digest = Sha256OfFile(testing::TempDir());
  EXPECT_EQ(digest.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(digest.status().message()),
              testing::HasSubstr("is a directory, expected a regular file"));
}

}  // namespace
}  // namespace moeprobe
