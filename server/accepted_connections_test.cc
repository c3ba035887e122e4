#include "server/accepted_connections.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

// A listening socket, a client connected to it, and the accepted end.
struct Connection {
  FileDescriptor listening, client, accepted;
};

Connection Connect(int family, sockaddr* address, socklen_t size) {
  FileDescriptor listening(socket(family, SOCK_STREAM, 0));
  EXPECT_GE(listening.number(), 0);
  EXPECT_EQ(bind(listening.number(), address, size), 0);
  EXPECT_EQ(listen(listening.number(), 1), 0);
  EXPECT_EQ(getsockname(listening.number(), address, &size), 0);
  FileDescriptor client(socket(family, SOCK_STREAM, 0));
  EXPECT_EQ(connect(client.number(), address, size), 0);
  FileDescriptor accepted(accept(listening.number(), nullptr, nullptr));
  return {.listening = std::move(listening),
          .client = std::move(client),
          .accepted = std::move(accepted)};
}

Connection ConnectAt(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return Connect(AF_UNIX, reinterpret_cast<sockaddr*>(&address),
                 sizeof(address));
}

// Fills the connection until a write would wait.
void Fill(const FileDescriptor& file) {
  const std::array<char, 65536> bytes{};
  while (send(file.number(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
  }
}

bool IsOpen(const FileDescriptor& file) {
  return send(file.number(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

TEST(AcceptedConnectionsTest, EndsOnlyThoseOfTheAddress) {
  const TemporaryDirectory directory;
  const Connection one = ConnectAt(directory.path() / "one");
  const Connection other = ConnectAt(directory.path() / "other");
  EXPECT_EQ(ShutDownAcceptedConnections(
                absl::StrCat("unix:", (directory.path() / "one").string())),
            1);
  EXPECT_FALSE(IsOpen(one.accepted));
  EXPECT_TRUE(IsOpen(other.accepted));
  EXPECT_TRUE(IsOpen(other.client));
}

TEST(AcceptedConnectionsTest, EndsAWriteThatNobodyReads) {
  const TemporaryDirectory directory;
  const Connection full = ConnectAt(directory.path() / "full");
  Fill(full.accepted);
  EXPECT_EQ(ShutDownAcceptedConnections(
                absl::StrCat("unix:", (directory.path() / "full").string())),
            1);
  EXPECT_EQ(send(full.accepted.number(), "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(AcceptedConnectionsTest, KnowsAPort) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Connection one =
      Connect(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  const std::string end = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  EXPECT_EQ(ShutDownAcceptedConnections(end), 1);
  EXPECT_FALSE(IsOpen(one.accepted));
}

TEST(AcceptedConnectionsTest, NoneAreThere) {
  EXPECT_EQ(ShutDownAcceptedConnections("unix:/nobody/listens/here"), 0);
  EXPECT_EQ(ShutDownAcceptedConnections("127.0.0.1:1"), 0);
}

}  // namespace
}  // namespace moeprobe
