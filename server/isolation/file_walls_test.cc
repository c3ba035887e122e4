#include "server/isolation/file_walls.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "core/base/file_descriptor.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr int kCuttingVersion = 3;
constexpr int kScopesVersion = 6;

// A sanitizer may run one of its own in every process.
int ThreadCount() {
  const fs::directory_iterator threads("/proc/self/task");
  return static_cast<int>(std::distance(threads, fs::directory_iterator()));
}

bool CanOpen(const fs::path& path, int flags) {
  return FileDescriptor(open(path.c_str(), flags | O_CLOEXEC, 0600)).number() >=
         0;
}

// Whether a call fails because that is not allowed.
bool IsDenied(int result) { return result < 0 && errno == EACCES; }

bool IsDenied(const fs::path& path, int flags) {
  return !CanOpen(path, flags) && errno == EACCES;
}

class FileWallsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    if (ExitStatusOfChild(ThreadCount) > 1) {
      GTEST_SKIP() << "a sanitizer runs a thread of its own";
    }
    for (const fs::path& folder : {models_, scratch_, home_}) {
      fs::create_directories(folder);
      std::ofstream(folder / "file") << "content";
    }
  }

  // Whether a process that may use what this test is about finds this.
  bool HoldsInside(const std::function<bool()>& finding) const {
    const int status = ExitStatusOfChild([&] {
      const FileAccess access = {.readable = {models_, "/proc", "/nowhere"},
                                 .runnable = {"/usr", "/bin", "/lib", "/lib64"},
                                 .writable = {scratch_, "/dev/null"}};
      if (!RestrictFiles(access).ok()) return 2;
      return finding() ? 0 : 1;
    });
    return status == 0;
  }

  TemporaryDirectory directory_;
  fs::path models_ = directory_.path() / "models";
  fs::path scratch_ = directory_.path() / "scratch";
  fs::path home_ = directory_.path() / "home";
};

TEST_F(FileWallsTest, LetModelsBeReadAndNothingElse) {
  EXPECT_TRUE(HoldsInside([&] {
    return CanOpen(models_ / "file", O_RDONLY) &&
           CanOpen(models_, O_RDONLY | O_DIRECTORY) &&
           IsDenied(home_ / "file", O_RDONLY) &&
           IsDenied(home_, O_RDONLY | O_DIRECTORY) &&
           IsDenied("/etc/passwd", O_RDONLY);
  }));
}

TEST_F(FileWallsTest, LetNothingBeWrittenButScratch) {
  EXPECT_TRUE(HoldsInside([&] {
    return CanOpen(scratch_ / "file", O_RDWR | O_TRUNC) &&
           CanOpen(scratch_ / "new", O_WRONLY | O_CREAT | O_EXCL) &&
           CanOpen("/dev/null", O_WRONLY) &&
           IsDenied(models_ / "file", O_WRONLY) &&
           IsDenied(models_ / "new", O_WRONLY | O_CREAT) &&
           IsDenied(home_ / "file", O_WRONLY) &&
           IsDenied(home_ / "new", O_WRONLY | O_CREAT) &&
           IsDenied(directory_.path() / "new", O_WRONLY | O_CREAT);
  }));
}

TEST_F(FileWallsTest, LetFilesBeMadeRenamedAndRemovedInScratchAlone) {
  EXPECT_TRUE(HoldsInside([&] {
    const fs::path file = scratch_ / "file";
    return mkdir((scratch_ / "folder").c_str(), 0700) == 0 &&
           rename(file.c_str(), (scratch_ / "other").c_str()) == 0 &&
           unlink((scratch_ / "other").c_str()) == 0 &&
           rmdir((scratch_ / "folder").c_str()) == 0 &&
           IsDenied(mkdir((models_ / "folder").c_str(), 0700)) &&
           IsDenied(unlink((models_ / "file").c_str())) &&
           rename((models_ / "file").c_str(), (scratch_ / "x").c_str()) < 0 &&
           link((home_ / "file").c_str(), (scratch_ / "x").c_str()) < 0;
  }));
}

TEST_F(FileWallsTest, LetNoLinkOrDeviceBeMade) {
  EXPECT_TRUE(HoldsInside([&] {
    return IsDenied(symlink("/etc", (scratch_ / "link").c_str())) &&
           IsDenied(mkfifo((scratch_ / "fifo").c_str(), 0600));
  }));
}

TEST_F(FileWallsTest, LetNoLinkLeadOut) {
  fs::create_symlink(home_ / "file", models_ / "link");
  fs::create_directory_symlink(home_, scratch_ / "link");
  EXPECT_TRUE(HoldsInside([&] {
    return IsDenied(models_ / "link", O_RDONLY) &&
           IsDenied(scratch_ / "link/file", O_RDWR);
  }));
}

TEST_F(FileWallsTest, LetNothingOutsideBeCutShort) {
  if (LandlockVersion() < kCuttingVersion) {
    GTEST_SKIP() << "Landlock does so from version 3 on";
  }
  EXPECT_TRUE(HoldsInside([&] {
    return IsDenied(truncate((home_ / "file").c_str(), 0)) &&
           IsDenied(truncate((models_ / "file").c_str(), 0)) &&
           truncate((scratch_ / "file").c_str(), 0) == 0;
  }));
}

TEST_F(FileWallsTest, LetProgramsRunButThoseThatWereWritten) {
  const fs::path own = scratch_ / "true";
  fs::copy_file("/bin/true", own);
  fs::permissions(own, fs::perms::owner_all);
  EXPECT_TRUE(HoldsInside([&] {
    return ExitStatusOfChild([&] {
             execl(own.c_str(), own.c_str(), nullptr);
             if (errno != EACCES) return 2;
             execl("/bin/true", "true", nullptr);
             return 3;
           }) == 0;
  }));
}

TEST_F(FileWallsTest, HoldForWhatIsStarted) {
  EXPECT_TRUE(HoldsInside([&] {
    const std::string command =
        "exec 2>/dev/null; cat " + (models_ / "file").native() +
        " >/dev/null && ! cat " + (home_ / "file").native();
    return ExitStatusOfChild([&] {
             execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
             return 3;
           }) == 0;
  }));
}

TEST_F(FileWallsTest, LeaveSocketsWithAPathInReach) {
  const fs::path path = home_ / "socket";
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path.native().size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  const FileDescriptor server(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(server.number(), target, sizeof(address)), 0);
  ASSERT_EQ(listen(server.number(), 1), 0);
  EXPECT_TRUE(HoldsInside([&] {
    const FileDescriptor client(socket(AF_UNIX, SOCK_STREAM, 0));
    return client.number() >= 0 &&
           connect(client.number(), target, sizeof(address)) == 0;
  }));
}

TEST_F(FileWallsTest, LetNoOtherProcessBeSignalled) {
  if (LandlockVersion() < kScopesVersion) {
    GTEST_SKIP() << "Landlock does so from version 6 on";
  }
  EXPECT_TRUE(HoldsInside([] {
    const pid_t own = fork();
    if (own == 0) {
      for (;;) pause();
    }
    int status = 0;
    return kill(getppid(), 0) < 0 && errno == EPERM &&
           kill(own, SIGKILL) == 0 && waitpid(own, &status, 0) == own;
  }));
}

TEST_F(FileWallsTest, AreNotPutUpAroundOneThreadOfSeveral) {
  EXPECT_EQ(ExitStatusOfChild([] {
              std::thread other([] {
                for (;;) pause();
              });
              other.detach();
              return absl::IsFailedPrecondition(RestrictFiles({})) ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace moeprobe
