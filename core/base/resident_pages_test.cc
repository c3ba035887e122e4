#include "core/base/resident_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/mapped_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::Optional;

class ResidentPagesTest : public testing::Test {
 protected:
  MappedFile Write(int64_t bytes) {
    std::ofstream(file_) << std::string(static_cast<size_t>(bytes), 'x');
    return *MappedFile::Open(file_);
  }

  // Asks the kernel to forget the file's pages, which it does if it likes.
  bool Drop() {
    const int file = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
    return ResidentBytes(MappedFile::Open(file_)->bytes(), file_) == 0;
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "file";
};

TEST_F(ResidentPagesTest, AreNoneOfNothing) {
  const MappedFile empty = Write(0);
  EXPECT_THAT(ResidentBytes(empty.bytes(), file_), Optional(0));
}

TEST_F(ResidentPagesTest, AreAllOfWhatWasJustWritten) {
  const MappedFile small = Write(1);
  EXPECT_THAT(ResidentBytes(small.bytes(), file_), Optional(1));
  const MappedFile large = Write(100'001);
  EXPECT_THAT(ResidentBytes(large.bytes(), file_), Optional(100'001));
}

TEST_F(ResidentPagesTest, AreUnknownWithoutTheFile) {
  const MappedFile mapping = Write(1);
  std::filesystem::remove(file_);
  EXPECT_EQ(ResidentBytes(mapping.bytes(), file_), std::nullopt);
}

TEST_F(ResidentPagesTest, AreWhatWasRead) {
  constexpr int64_t kBytes = 1 << 20;
  const MappedFile mapping = Write(kBytes);
  if (!Drop()) GTEST_SKIP() << "this file system keeps its pages";
  const auto middle = mapping.bytes().subspan(kBytes / 2, 1);
  madvise(const_cast<std::byte*>(mapping.bytes().data()), kBytes, MADV_RANDOM);
  EXPECT_EQ(middle[0], std::byte{'x'});
  const auto resident = ResidentBytes(mapping.bytes(), file_);
  ASSERT_TRUE(resident.has_value());
  EXPECT_GE(*resident, sysconf(_SC_PAGESIZE));
  EXPECT_LT(*resident, kBytes);
}

// Half of a file that is too large to look at every page.
TEST_F(ResidentPagesTest, AreSampledOfALargeFile) {
  const int64_t bytes = 4 * kSampledPages * sysconf(_SC_PAGESIZE);
  Write(0);
  std::filesystem::resize_file(file_, static_cast<uintmax_t>(bytes));
  const MappedFile mapping = *MappedFile::Open(file_);
  if (!Drop()) GTEST_SKIP() << "this file system keeps its pages";
  const int file = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);  // nothing is read ahead
  std::string half(static_cast<size_t>(bytes / 2), '\0');
  EXPECT_EQ(pread(file, half.data(), half.size(), 0), bytes / 2);
  close(file);
  const auto resident = ResidentBytes(mapping.bytes(), file_);
  ASSERT_TRUE(resident.has_value());
  EXPECT_GE(*resident, bytes / 2);
  EXPECT_LT(*resident, bytes);
}

}  // namespace
}  // namespace moeprobe
