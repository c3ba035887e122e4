#include "core/base/pinned_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/disk_error.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/retry_delay.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PinnedFileTest : public testing::Test {
 protected:
  PinnedFileTest() {
    fs::create_directories(root_ / "blobs");
    fs::create_directories(root_ / "snapshots/a");
    std::ofstream(root_ / "blobs/b") << "inside";
    std::ofstream(outside_) << "outside";
  }

  // The content of a file, or the code of the error.
  std::string Read(const fs::path& path) const {
    const auto file = PinnedFile::Find(path, root_);
    if (!file.ok()) return absl::StatusCodeToString(file.status().code());
    const auto content = ReadFile(file->handle(), 100);
    return content.ok() ? content->bytes
                        : absl::StatusCodeToString(content.status().code());
  }

  TemporaryDirectory directory_;
  // Without symbolic links, wherever temporary directories are.
  fs::path root_ = fs::canonical(directory_.path()) / "root";
  fs::path outside_ = directory_.path() / "outside";
  fs::path link_ = root_ / "snapshots/a/link";
};

TEST_F(PinnedFileTest, ReadsAFile) {
  EXPECT_EQ(Read(root_ / "blobs/b"), "inside");
}

TEST_F(PinnedFileTest, FollowsLinksThatEndInside) {
  fs::create_symlink("../../blobs/b", link_);
  EXPECT_EQ(Read(link_), "inside");
  fs::remove(link_);
  fs::create_symlink(root_ / "blobs/b", link_);
  EXPECT_EQ(Read(link_), "inside");
  fs::create_directory_symlink("..", root_ / "blobs/up");
  EXPECT_EQ(Read(root_ / "blobs/up/snapshots/a/link"), "inside");
  // Out and in again.
  fs::create_directory_symlink(root_, directory_.path() / "way");
  EXPECT_EQ(Read(directory_.path() / "way/blobs/b"), "inside");
}

TEST_F(PinnedFileTest, RefusesWhatLiesOutsideAndSaysWhere) {
  for (const fs::path& target :
       {outside_, fs::path("../../../outside"), fs::path("/dev/null"),
        fs::path("/proc/self/environ"), directory_.path()}) {
    fs::remove(link_);
    fs::create_symlink(target, link_);
    EXPECT_EQ(Read(link_), "FAILED_PRECONDITION") << target;
  }
  fs::remove(link_);
  fs::create_symlink(outside_, link_);
  EXPECT_THAT(std::string(PinnedFile::Find(link_, root_).status().message()),
              HasSubstr("leads to " + fs::canonical(outside_).native() +
                        ", expected a file inside " + root_.native()));
  fs::create_directory_symlink("../..", root_ / "blobs/up");
  EXPECT_EQ(Read(root_ / "blobs/up/outside"), "FAILED_PRECONDITION");
}

TEST_F(PinnedFileTest, DoesNotTakeAPrefixForAFolder) {
  fs::create_directory(root_.native() + "-2");
  std::ofstream(root_.native() + "-2/file") << "outside";
  EXPECT_EQ(Read(root_.native() + "-2/file"), "FAILED_PRECONDITION");
}

TEST_F(PinnedFileTest, RefusesWhatIsNoRegularFile) {
  EXPECT_EQ(Read(root_ / "nowhere"), "NOT_FOUND");
  EXPECT_EQ(Read(root_ / "blobs"), "FAILED_PRECONDITION");
  ASSERT_EQ(mkfifo((root_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(Read(root_ / "fifo"), "FAILED_PRECONDITION");
  fs::create_symlink("link", link_);
  EXPECT_NE(Read(link_), "inside");
}

// Who opens a FIFO to write waits for one who opened it to read.
TEST_F(PinnedFileTest, OpensNothingThatItFinds) {
  const fs::path fifo = root_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto file = PinnedFile::Find(fifo, root_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_LT(FileDescriptor(open(fifo.c_str(), O_WRONLY | O_NONBLOCK)).number(),
            0);
  EXPECT_EQ(errno, ENXIO);
}

TEST_F(PinnedFileTest, StaysTheSameFileUnderAnotherName) {
  const auto file = PinnedFile::Find(root_ / "blobs/b", root_);
  fs::remove(root_ / "blobs/b");
  fs::create_symlink(outside_, root_ / "blobs/b");
  EXPECT_EQ(ReadFile(file->handle(), 100)->bytes, "inside");
}

TEST_F(PinnedFileTest, SpeaksOfThePath) {
  const auto file = PinnedFile::Find(root_ / "blobs", root_);
  EXPECT_EQ(
      file->Named(ReadFile(file->handle(), 100).status()).message(),
      (root_ / "blobs").native() + ": is a directory, expected a regular file");
}

TEST_F(PinnedFileTest, SaysWhenToTryAgain) {
  const auto file = PinnedFile::Find(root_ / "blobs/b", root_);
  const absl::Status status = file->Named(DiskError(EIO, file->handle()));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(RetryDelayOf(status), kDiskRetryDelay);
}

// Somebody swaps what a path leads to, as fast as they can.
TEST_F(PinnedFileTest, IsNotDeceivedByAPathThatChanges) {
  const fs::path other = root_ / "snapshots/a/other";
  fs::create_symlink(root_ / "blobs/b", link_);
  fs::create_symlink(outside_, other);
  std::atomic<bool> done = false;
  std::thread swapper([&] {
    while (!done) {
      syscall(SYS_renameat2, AT_FDCWD, link_.c_str(), AT_FDCWD, other.c_str(),
              RENAME_EXCHANGE);
    }
  });
  for (int i = 0; i < 20'000; ++i) EXPECT_NE(Read(link_), "outside");
  done = true;
  swapper.join();
}

}  // namespace
}  // namespace moeprobe
