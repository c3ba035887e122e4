#include "server/worker/server_connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

TEST(ServerConnectionTest, IsMadeToAPath) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "socket";
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path.native().size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const FileDescriptor server(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(server.number(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)),
            0);
  ASSERT_EQ(listen(server.number(), 1), 0);
  const auto connection = ConnectToServer(absl::StrCat("unix:", path.native()));
  ASSERT_TRUE(connection.ok()) << connection.status();
  const FileDescriptor accepted(accept(server.number(), nullptr, nullptr));
  ASSERT_EQ(write(connection->number(), "x", 1), 1);
  char heard = 0;
  EXPECT_EQ(read(accepted.number(), &heard, 1), 1);
  EXPECT_EQ(heard, 'x');
}

TEST(ServerConnectionTest, IsTheOneThatTheProcessWasStartedWith) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const FileDescriptor server(ends[0]);
  {
    const auto connection = ConnectToServer(absl::StrCat("fd:", ends[1]));
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_EQ(connection->number(), ends[1]);
    EXPECT_EQ(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
  }
  EXPECT_EQ(fcntl(ends[1], F_GETFD), -1) << "it is the caller's to close";
}

TEST(ServerConnectionTest, IsRefusedWhereThereIsNoServer) {
  const TemporaryDirectory directory;
  const auto absent =
      ConnectToServer(absl::StrCat("unix:", directory.path().native(), "/s"));
  EXPECT_TRUE(absl::IsNotFound(absent.status())) << absent.status();
}

TEST(ServerConnectionTest, IsRefusedForWhatIsNoAddress) {
  for (const std::string& address :
       {std::string(), std::string("localhost:7600"), std::string("fd:"),
        std::string("fd:x"), std::string("fd:-1"), std::string("fd:1000000"),
        absl::StrCat("unix:/", std::string(200, 'x'))}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ConnectToServer(address).status()))
        << address;
  }
}

}  // namespace
}  // namespace moeprobe
