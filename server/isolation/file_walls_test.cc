#include "server/isolation/file_walls.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
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

constexpr int kMovingVersion = 2;
constexpr int kCuttingVersion = 3;
constexpr int kAskingVersion = 5;
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
    for (const fs::path& folder :
         {models_, scratch_, home_, models_ / "folder", scratch_ / "folder"}) {
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
    return mkdir((scratch_ / "other-folder").c_str(), 0700) == 0 &&
           rename(file.c_str(), (scratch_ / "other").c_str()) == 0 &&
           unlink((scratch_ / "other").c_str()) == 0 &&
           rmdir((scratch_ / "other-folder").c_str()) == 0 &&
           IsDenied(mkdir((models_ / "other-folder").c_str(), 0700)) &&
           IsDenied(mknod((models_ / "new").c_str(), S_IFREG | 0600, 0)) &&
           IsDenied(unlink((models_ / "file").c_str())) &&
           IsDenied(rmdir((models_ / "folder").c_str())) &&
           rename((models_ / "file").c_str(), (scratch_ / "x").c_str()) < 0 &&
           link((home_ / "file").c_str(), (scratch_ / "x").c_str()) < 0;
  }));
}

TEST_F(FileWallsTest, LetFilesMoveBetweenFoldersOfScratch) {
  if (LandlockVersion() < kMovingVersion) {
    GTEST_SKIP() << "Landlock does so from version 2 on";
  }
  EXPECT_TRUE(HoldsInside([&] {
    return rename((scratch_ / "folder/file").c_str(),
                  (scratch_ / "moved").c_str()) == 0;
  }));
}

TEST_F(FileWallsTest, LetNoLinkSocketOrDeviceBeMade) {
  const dev_t null = makedev(1, 3);
  const dev_t loop = makedev(7, 0);
  EXPECT_TRUE(HoldsInside([&] {
    const std::string path = scratch_ / "new";
    return IsDenied(symlink("/etc", path.c_str())) &&
           IsDenied(mkfifo(path.c_str(), 0600)) &&
           IsDenied(mknod(path.c_str(), S_IFSOCK | 0600, 0)) &&
           IsDenied(mknod(path.c_str(), S_IFCHR | 0600, null)) &&
           IsDenied(mknod(path.c_str(), S_IFBLK | 0600, loop));
  }));
}

TEST_F(FileWallsTest, LetNoDeviceBeAsked) {
  if (LandlockVersion() < kAskingVersion) {
    GTEST_SKIP() << "Landlock does so from version 5 on";
  }
  EXPECT_TRUE(HoldsInside([] {
    const FileDescriptor null(open("/dev/null", O_RDWR));
    termios answer{};
    return null.number() >= 0 &&
           IsDenied(ioctl(null.number(), TCGETS, &answer));
  }));
}

TEST_F(FileWallsTest, LetNoAbstractSocketBeConnectedTo) {
  if (LandlockVersion() < kScopesVersion) {
    GTEST_SKIP() << "Landlock does so from version 6 on";
  }
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  const std::string name =
      std::string(1, '\0') + directory_.path().filename().native();
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  const FileDescriptor server(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_GE(server.number(), 0);
  ASSERT_EQ(bind(server.number(), target, size), 0);
  ASSERT_EQ(listen(server.number(), 1), 0);
  EXPECT_TRUE(HoldsInside([&] {
    const FileDescriptor client(socket(AF_UNIX, SOCK_STREAM, 0));
    return client.number() >= 0 && connect(client.number(), target, size) < 0 &&
           errno == EPERM;
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

TEST_F(FileWallsTest, LetProgramsRunButThoseThatWereWrittenOrAreModels) {
  for (const fs::path& folder : {scratch_, models_}) {
    fs::copy_file("/bin/false", folder / "false");
    fs::permissions(folder / "false", fs::perms::owner_all);
  }
  EXPECT_TRUE(HoldsInside([&] {
    return ExitStatusOfChild([&] {
             for (const fs::path& folder : {scratch_, models_}) {
               execl((folder / "false").c_str(), "false", nullptr);
               if (errno != EACCES) return 2;
             }
             execl("/bin/true", "true", nullptr);
             return 3;
           }) == 0;
  }));
}

// Root could put up walls without, and what it starts keep its rights.
TEST_F(FileWallsTest, ComeWithoutRightsFromPrograms) {
  EXPECT_TRUE(
      HoldsInside([] { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }));
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
    const bool reaches_parent = kill(getppid(), 0) == 0 || errno != EPERM;
    int status = 0;
    return kill(own, SIGKILL) == 0 && waitpid(own, &status, 0) == own &&
           !reaches_parent;
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
