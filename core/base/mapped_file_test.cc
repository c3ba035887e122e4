#include "core/base/mapped_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~MappedFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name,
                              std::string_view content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      ("mapped_file_" +
       std::string(
           testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(MappedFileTest, ShowsTheContent) {
  const auto file = MappedFile::Open(Write("a", "content"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(std::memcmp(file->bytes().data(), "content", 7), 0);
  EXPECT_EQ(file->bytes().size(), 7);
}

TEST_F(MappedFileTest, OfAnEmptyFileIsEmpty) {
  const auto file = MappedFile::Open(Write("empty", ""));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->bytes().empty());
}

TEST_F(MappedFileTest, SurvivesTheRemovalOfTheFile) {
  const std::filesystem::path path = Write("a", "content");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  std::filesystem::remove(path);
  EXPECT_EQ(std::memcmp(file->bytes().data(), "content", 7), 0);
}

TEST_F(MappedFileTest, IsRefusedForAnythingButARegularFile) {
  const std::filesystem::path fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::filesystem::path path = folder_ / "socket";
  const FileDescriptor socket_file(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path.native().size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  ASSERT_EQ(bind(socket_file.number(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)),
            0);
  for (const std::filesystem::path& other :
       {fifo, path, folder_, std::filesystem::path("/dev/null")}) {
    const auto file = MappedFile::Open(other);
    EXPECT_EQ(file.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(file.status().message()),
                testing::AllOf(HasSubstr(other.native()),
                               HasSubstr("expected a regular file")));
  }
}

TEST_F(MappedFileTest, OfAMissingFileIsNotFound) {
  EXPECT_EQ(MappedFile::Open(folder_ / "missing").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(MappedFileTest, IdentityTellsEveryChange) {
  const std::filesystem::path path = Write("a", "content");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto change = [&] {
    return std::string(CheckIdentity(path, file->identity()).message());
  };
  EXPECT_EQ(change(), "");
  const auto written = std::filesystem::last_write_time(path);
  std::filesystem::last_write_time(path, written + std::chrono::seconds(1));
  EXPECT_THAT(change(), HasSubstr("was written to"));
  std::filesystem::resize_file(path, 3);
  EXPECT_THAT(change(), HasSubstr("went from 7 to 3 bytes"));
  std::filesystem::rename(Write("b", "content"), path);
  EXPECT_THAT(change(), HasSubstr("was replaced"));
  std::filesystem::remove(path);
  EXPECT_THAT(change(), HasSubstr("is gone"));
}

TEST_F(MappedFileTest, ReadFileReturnsSmallFilesOnly) {
  const std::filesystem::path path = Write("a", "content");
  const auto content = ReadFile(path, 7);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(content->bytes, "content");
  const absl::Status status = ReadFile(path, 6).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is 7 bytes, expected at most 6"));
}

}  // namespace
}  // namespace moeprobe
