#include "core/base/default_address.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(DefaultAddressTest, LiesInTheRuntimeDirectory) {
  setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(DefaultAddress(), "unix:/run/user/7/moeprobe.sock");
}

TEST(DefaultAddressTest, NamesTheUserWhereThereIsNoRuntimeDirectory) {
  const auto expected = absl::StrCat("unix:/tmp/moeprobe-", getuid(), ".sock");
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(DefaultAddress(), expected);
  setenv("XDG_RUNTIME_DIR", "", 1);
  EXPECT_EQ(DefaultAddress(), expected);
}

}  // namespace
}  // namespace moeprobe
