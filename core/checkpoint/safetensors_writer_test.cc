#include "core/checkpoint/safetensors_writer.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/safetensors_header.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

class SafetensorsWriterTest : public testing::Test {
 protected:
  SafetensorsFile Written(const std::vector<SafetensorsEntry>& tensors) {
    const auto path = directory_.path() / "model.safetensors";
    EXPECT_EQ(WriteSafetensors(path, tensors), absl::OkStatus());
    return SafetensorsFile::Open(path).value();
  }

  TemporaryDirectory directory_;
};

TEST_F(SafetensorsWriterTest, WritesWhatIsReadAgain) {
  const std::string matrix = "24 bytes of one tensor..";
  const std::string half = "6 byte";
  const SafetensorsFile file =
      Written({{.name = "b.\"weight\"",
                .dtype = "F32",
                .shape = {2, 3},
                .bytes = matrix},
               {.name = "a", .dtype = "BF16", .shape = {3}, .bytes = half}});
  ASSERT_EQ(file.tensors().size(), 2U);
  const HeaderTensor& first = file.tensors()[0];
  EXPECT_EQ(first.name, "b.\"weight\"");
  EXPECT_EQ(first.dtype, "F32");
  EXPECT_THAT(first.shape, ElementsAre(2, 3));
  const std::span<const std::byte> bytes = file.BytesOf(file.tensors()[1]);
  EXPECT_EQ(
      std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
      half);
}

// Another writer's file of the same tensor, but for the metadata.
TEST_F(SafetensorsWriterTest, PutsDataWhereTheFormatSays) {
  const std::string bytes = "abcdefgh";
  const std::string prefix = SafetensorsPrefix(
      {{.name = "x", .dtype = "F32", .shape = {2}, .bytes = bytes}});
  EXPECT_EQ(prefix.size() % 8, 0U);
  EXPECT_EQ(prefix.substr(0, 8), HeaderLengthBytes(prefix.size() - 8));
  EXPECT_THAT(prefix, testing::HasSubstr(
                          R"({"__metadata__":{"format":"pt"},"x":{"dtype":)"
                          R"("F32","shape":[2],"data_offsets":[0,8]}})"));
}

TEST_F(SafetensorsWriterTest, AcceptsNoTensorsAndEmptyOnes) {
  EXPECT_TRUE(Written({}).tensors().empty());
  const SafetensorsFile file = Written(
      {{.name = "empty", .dtype = "F32", .shape = {0, 4}, .bytes = ""},
       {.name = "number", .dtype = "F32", .shape = {}, .bytes = "1234"}});
  EXPECT_EQ(file.tensors().size(), 2U);
}

}  // namespace
}  // namespace moeprobe
