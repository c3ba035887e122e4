#include "server/listen_address.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(ListenAddressTest, AcceptsSocketsAndPorts) {
  for (const char* address :
       {"unix:/tmp/no-such.sock", "127.0.0.1:0", "localhost:65535", "[::1]:1",
        "0.0.0.0:0", "example.org:80"}) {
    EXPECT_TRUE(CheckListenAddress(address).ok()) << address;
  }
}

TEST(ListenAddressTest, TakesThePathOfASocket) {
  EXPECT_EQ(SocketPath("unix:/a/b"), "/a/b");
  EXPECT_EQ(SocketPath("127.0.0.1:1"), std::nullopt);
}

TEST(ListenAddressTest, RefusesWhatIsNoAddress) {
  for (const char* address :
       {"", "localhost", "localhost:", "localhost:x", "localhost:65536",
        "localhost:-1", "unix:", ":1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckListenAddress(address)))
        << address;
  }
}

TEST(ListenAddressTest, BoundsTheLengthOfAPath) {
  const std::string longest = absl::StrCat("unix:/", std::string(106, 'x'));
  EXPECT_TRUE(CheckListenAddress(longest).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(CheckListenAddress(longest + "x")));
}

TEST(ListenAddressTest, TellsThePortThatWasChosen) {
  EXPECT_EQ(WithPort("127.0.0.1:0", 1234), "127.0.0.1:1234");
  EXPECT_EQ(WithPort("[::1]:0", 1), "[::1]:1");
  EXPECT_EQ(WithPort("unix:/a", 1), "unix:/a");
}

}  // namespace
}  // namespace moeprobe
