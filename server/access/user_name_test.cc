#include "server/access/user_name.h"

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/testing/no_descriptors.h"
#include "tests/testing/temporary_directory.h"

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
  EXPECT_EQ(UserOfUid(0).value(), "root");
  EXPECT_EQ(UserOfUid(3'999'999'999).value(), "uid-3999999999");
  EXPECT_TRUE(IsUserName(UserOfUid(getuid()).value()));
}

TEST(UserNameTest, TakesNobodyForAnotherWithoutDescriptors) {
  // Not that of root, which some sources know without a file. Again, since the
  // first look-up opens libraries.
  constexpr uid_t kDaemon = 1;
  ASSERT_EQ(UserOfUid(kDaemon).value(), "daemon");
  ASSERT_EQ(UserOfUid(3'999'999'999).value(), "uid-3999999999");
  const auto user = [] {
    const NoDescriptors limit;
    return UserOfUid(kDaemon);
  }();
  EXPECT_EQ(user.status(),
            absl::ResourceExhaustedError(
                "user id 1: its account cannot be looked up: Too many open "
                "files"));
}

// Says whose user id 1 is where there is nothing but `root`.
[[noreturn]] void LookUpIn(const std::filesystem::path& root) {
  if (chroot(root.c_str()) != 0 || chdir("/") != 0) _exit(1);
  std::cerr << UserOfUid(1).status();
  _exit(0);
}

TEST(UserNameTest, TakesNobodyForAnotherWithoutASourceOfNames) {
  if (geteuid() != 0) GTEST_SKIP() << "takes root, who can change the root";
  const TemporaryDirectory nothing;
  EXPECT_EXIT(
      LookUpIn(nothing.path()), testing::ExitedWithCode(0),
      "UNAVAILABLE: user id 1: its account cannot be looked up: No such file");
}

}  // namespace
}  // namespace moeprobe
