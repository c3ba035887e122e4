#include "server/listen_address.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(ListenAddressTest, AcceptsSocketsAndLoopback) {
  for (const char* address :
       {"unix:/tmp/no-such.sock", "127.0.0.1:0", "127.1.2.3:50051",
        "localhost:65535", "[::1]:1"}) {
    EXPECT_TRUE(CheckListenAddress(address).ok()) << address;
  }
}

TEST(ListenAddressTest, RefusesToListenToTheWorld) {
  for (const char* address :
       {"0.0.0.0:0", "[::]:0", "192.168.0.1:5", "example.org:80", ":50051",
        "*:1", "127.0.0.1.example.org:1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckListenAddress(address)))
        << address;
  }
}

TEST(ListenAddressTest, RefusesWhatIsNoAddress) {
  for (const char* address : {"", "localhost", "localhost:", "localhost:x",
                              "localhost:65536", "localhost:-1", "unix:"}) {
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
