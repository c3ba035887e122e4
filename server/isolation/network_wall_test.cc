#include "server/isolation/network_wall.h"

#include <linux/prctl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ios>

#include "core/base/file_descriptor.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

bool IsRefused(int family, int type) {
  return FileDescriptor(socket(family, type, 0)).number() < 0 &&
         errno == EACCES;
}

bool IsPairRefused(int type) {
  std::array<int, 2> ends{};
  return socketpair(AF_UNIX, type, 0, ends.data()) < 0 && errno == EACCES;
}

class NetworkWallTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CanForbidSockets()) GTEST_SKIP() << "this kernel has no seccomp";
  }

  static bool HoldsInside(const std::function<bool()>& finding) {
    return ExitStatusOfChild([&] {
             if (!ForbidSockets().ok()) return 2;
             return finding() ? 0 : 1;
           }) == 0;
  }
};

TEST_F(NetworkWallTest, RefusesEverySocket) {
  EXPECT_TRUE(HoldsInside([] {
    return IsRefused(AF_INET, SOCK_STREAM) && IsRefused(AF_INET, SOCK_DGRAM) &&
           IsRefused(AF_INET6, SOCK_STREAM) &&
           IsRefused(AF_INET6, SOCK_DGRAM) && IsRefused(AF_NETLINK, SOCK_RAW) &&
           IsRefused(AF_PACKET, SOCK_RAW) && IsRefused(AF_UNIX, SOCK_STREAM) &&
           IsRefused(AF_UNIX, SOCK_DGRAM);
  }));
}

TEST_F(NetworkWallTest, RefusesPairsOfSockets) {
  EXPECT_TRUE(HoldsInside(
      [] { return IsPairRefused(SOCK_STREAM) && IsPairRefused(SOCK_DGRAM); }));
}

// A worker's line to its server.
TEST_F(NetworkWallTest, LeavesAConnectionThatIsThereAndNoOtherWay) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const FileDescriptor own(ends[0]);
  const FileDescriptor other(ends[1]);
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "socket";
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path.native().size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  const FileDescriptor server(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(server.number(), target, sizeof(address)), 0);
  ASSERT_EQ(listen(server.number(), 1), 0);
  EXPECT_TRUE(HoldsInside([&] {
    return connect(own.number(), target, sizeof(address)) < 0 &&
           errno == EISCONN && write(own.number(), "x", 1) == 1;
  }));
  char heard = 0;
  EXPECT_EQ(read(other.number(), &heard, 1), 1);
}

TEST_F(NetworkWallTest, RefusesIoUring) {
  EXPECT_TRUE(HoldsInside([] {
    return syscall(SYS_io_uring_setup, 1, nullptr) < 0 && errno == ENOSYS;
  }));
}

// A program of 32-bit x86 that ends with status 7, where it can: it asks the
// kernel by other numbers.
constexpr std::array<uint8_t, 97> kOtherProgram = {
    // The header: 32 bits, x86, begins at 0x8048054, one segment.
    0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,  //
    2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 4, 8, 52, 0, 0, 0,    //
    0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    // The segment: the whole file, to be read and run at 0x8048000.
    1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 4, 8, 0, 0x80, 4, 8,  //
    97, 0, 0, 0, 97, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
    // mov eax, 1; mov ebx, 7; int 0x80; hlt
    0xb8, 1, 0, 0, 0, 0xbb, 7, 0, 0, 0, 0xcd, 0x80, 0xf4};

TEST_F(NetworkWallTest, HoldsForProgramsOfOtherArchitectures) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "program";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(kOtherProgram.data()),
             kOtherProgram.size());
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  const auto runs = [&] {
    return ExitStatusOfChild([&] {
             execl(path.c_str(), path.c_str(), nullptr);
             return 3;
           }) == 7;
  };
  if (!runs()) GTEST_SKIP() << "this machine runs no other programs";
  EXPECT_TRUE(HoldsInside([&] { return !runs(); }));
}

// x86 has calls of 64-bit programs with 32-bit pointers beside the others.
TEST_F(NetworkWallTest, HoldsForCallsWithOtherPointers) {
  constexpr int64_t kOtherCalls = 0x40000000;
  EXPECT_TRUE(HoldsInside(
      [] { return syscall(kOtherCalls | SYS_getpid) < 0 && errno == EPERM; }));
}

TEST_F(NetworkWallTest, ComesWithoutRightsFromPrograms) {
  EXPECT_TRUE(
      HoldsInside([] { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }));
}

TEST_F(NetworkWallTest, HoldsForWhatIsStarted) {
  EXPECT_TRUE(HoldsInside([] {
    return ExitStatusOfChild([] {
             execl("/bin/sh", "sh", "-c",
                   "grep -q 'Seccomp:.*2' /proc/self/status", nullptr);
             return 3;
           }) == 0;
  }));
}

// A server on this machine, which would be reached without the wall.
TEST_F(NetworkWallTest, KeepsFromServersOnThisMachine) {
  const FileDescriptor server(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* target = reinterpret_cast<sockaddr*>(&address);
  if (server.number() < 0 || bind(server.number(), target, size) != 0) {
    GTEST_SKIP() << "there is no loopback here";
  }
  ASSERT_EQ(listen(server.number(), 1), 0);
  ASSERT_EQ(getsockname(server.number(), target, &size), 0);
  const auto reaches = [&] {
    const FileDescriptor client(socket(AF_INET, SOCK_STREAM, 0));
    return client.number() >= 0 && connect(client.number(), target, size) == 0;
  };
  EXPECT_TRUE(reaches());
  EXPECT_TRUE(HoldsInside([&] { return !reaches(); }));
}

}  // namespace
}  // namespace moeprobe
