#include "core/base/loopback.h"

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(LoopbackTest, KnowsWhatThisMachineAloneReaches) {
  for (const char* address :
       {"127.0.0.1:0", "127.1.2.3:50051", "localhost:65535", "[::1]:1"}) {
    EXPECT_TRUE(IsLoopback(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0:0", "[::]:0", "192.168.0.1:5", "example.org:80", ":50051",
        "*:1", "127.0.0.1.example.org:1"}) {
    EXPECT_FALSE(IsLoopback(address)) << address;
  }
}

}  // namespace
}  // namespace moeprobe
