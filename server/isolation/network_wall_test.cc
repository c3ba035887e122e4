#include "server/isolation/network_wall.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "core/base/file_descriptor.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"

namespace moeprobe {
namespace {

bool CanMake(int family, int type) {
  return FileDescriptor(socket(family, type | SOCK_CLOEXEC, 0)).number() >= 0;
}

bool IsRefused(int family, int type) {
  return !CanMake(family, type) && errno == EAFNOSUPPORT;
}

class NetworkWallTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CanForbidNetwork()) GTEST_SKIP() << "this kernel has no seccomp";
  }

  static bool HoldsInside(const std::function<bool()>& finding) {
    return ExitStatusOfChild([&] {
             if (!ForbidNetwork().ok()) return 2;
             return finding() ? 0 : 1;
           }) == 0;
  }
};

TEST_F(NetworkWallTest, RefusesEverySocketButUnixOnes) {
  EXPECT_TRUE(HoldsInside([] {
    return IsRefused(AF_INET, SOCK_STREAM) && IsRefused(AF_INET, SOCK_DGRAM) &&
           IsRefused(AF_INET6, SOCK_STREAM) &&
           IsRefused(AF_INET6, SOCK_DGRAM) && IsRefused(AF_NETLINK, SOCK_RAW) &&
           IsRefused(AF_PACKET, SOCK_RAW) && CanMake(AF_UNIX, SOCK_STREAM);
  }));
}

TEST_F(NetworkWallTest, RefusesIoUring) {
  EXPECT_TRUE(HoldsInside([] {
    return syscall(SYS_io_uring_setup, 1, nullptr) < 0 && errno == ENOSYS;
  }));
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
