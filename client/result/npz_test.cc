#include "client/result/npz.h"

#include <zip.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// An entry whose bytes come one by one.
NpzEntry Entry(const std::string& name, const std::string& bytes) {
  return {
      .name = name,
      .size_bytes = static_cast<int64_t>(bytes.size()),
      .next_piece = [rest = bytes]() mutable -> absl::StatusOr<std::string> {
        std::string piece = rest.substr(0, 1);
        rest.erase(0, 1);
        return piece;
      }};
}

std::string Content(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

class WriteNpzTest : public testing::Test {
 protected:
  WriteNpzTest() {
    path_ = std::filesystem::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(path_);
  }
  ~WriteNpzTest() override { std::filesystem::remove(path_); }

  absl::Status Write(std::vector<NpzEntry> entries) {
    return WriteNpz(path_, std::move(entries));
  }

  std::filesystem::path path_;
};

TEST_F(WriteNpzTest, StoresEntriesInOrderWithAFixedTime) {
  ASSERT_TRUE(Write({Entry("layer0/b", "bytes"), Entry("a", "x")}).ok());
  zip_t* archive = zip_open(path_.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, nullptr);
  ASSERT_NE(archive, nullptr);
  ASSERT_EQ(zip_get_num_entries(archive, 0), 2);
  zip_stat_t entry;
  ASSERT_EQ(zip_stat_index(archive, 0, 0, &entry), 0);
  EXPECT_STREQ(entry.name, "layer0/b.npy");
  EXPECT_EQ(entry.size, 5U);
  EXPECT_EQ(entry.comp_method, ZIP_CM_STORE);
  ASSERT_EQ(zip_stat_index(archive, 1, 0, &entry), 0);
  EXPECT_STREQ(entry.name, "a.npy");
  zip_discard(archive);
  // Date and time of the first local header: 1980-01-01, 00:00.
  EXPECT_EQ(Content(path_).substr(10, 4), std::string("\0\0\x21\0", 4));
}

TEST_F(WriteNpzTest, WritesTheSameBytesForTheSameArrays) {
  ASSERT_TRUE(Write({Entry("a", "first"), Entry("b", "second")}).ok());
  const std::string first = Content(path_);
  ASSERT_TRUE(Write({Entry("a", "first"), Entry("b", "second")}).ok());
  EXPECT_EQ(Content(path_), first);
}

TEST_F(WriteNpzTest, ReplacesALongerFile) {
  std::ofstream(path_) << std::string(5000, 'x');
  ASSERT_TRUE(Write({Entry("a", "bytes")}).ok());
  EXPECT_LT(std::filesystem::file_size(path_), 500U);
}

TEST_F(WriteNpzTest, LeavesNothingWhereAnEntryFails) {
  NpzEntry broken = Entry("b", "bytes");
  broken.next_piece = []() -> absl::StatusOr<std::string> {
    return absl::UnavailableError("gone");
  };
  const absl::Status status = Write({Entry("a", "bytes"), broken});
  EXPECT_EQ(status, absl::UnavailableError("gone"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(WriteNpzTest, RefusesEntriesOfAnotherSize) {
  for (const int64_t announced : {4, 6}) {
    NpzEntry entry = Entry("b", "bytes");
    entry.size_bytes = announced;
    const absl::Status status = Write({entry});
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
}

TEST_F(WriteNpzTest, RefusesTheSameNameTwice) {
  EXPECT_THAT(std::string(Write({Entry("a", "x"), Entry("a", "y")}).message()),
              testing::HasSubstr("a: "));
}

TEST(WriteNpzErrorTest, NamesAFileThatCannotBeWritten) {
  const absl::Status status = WriteNpz("/nowhere/x.npz", {Entry("a", "x")});
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("/nowhere/x.npz"));
}

}  // namespace
}  // namespace moeprobe
