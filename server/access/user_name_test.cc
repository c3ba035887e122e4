#include "server/access/user_name.h"

#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(UserNameTest, TakesWhatAccountsAreCalled) {
  for (const std::string& name : {std::string("bob"), std::string("Bob.B-2_x"),
                                  std::string("7"), std::string(64, 'a')}) {
    EXPECT_TRUE(IsUserName(name)) << name;
    EXPECT_TRUE(CheckNewUserName(name).ok()) << name;
  }
}

TEST(UserNameTest, RefusesEverythingElse) {
  for (const std::string& name :
       {std::string(), std::string("-bob"), std::string(".."),
        std::string("a/b"), std::string("a b"), std::string("a\n"),
        std::string("b\xc3\xb6"), std::string("a\0b", 3),
        std::string(65, 'a')}) {
    EXPECT_FALSE(IsUserName(name)) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(CheckNewUserName(name))) << name;
  }
}

TEST(UserNameTest, KeepsNamesOfUserIdsForThem) {
  EXPECT_TRUE(IsUserName("uid-7"));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckNewUserName("uid-7")));
}

TEST(UserNameTest, FindsAccounts) {
  EXPECT_EQ(UserOfUid(0), "root");
  EXPECT_EQ(UserOfUid(3'999'999'999), "uid-3999999999");
  EXPECT_TRUE(IsUserName(UserOfUid(getuid())));
}

}  // namespace
}  // namespace moeprobe
