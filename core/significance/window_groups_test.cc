#include "core/significance/window_groups.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>

#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

int64_t GroupOf(const WindowGroups& groups, int64_t token) {
  return groups.of_token[token].item<int64_t>();
}

TEST(WindowGroupsTest, AreTheWindowsWhereTheseAreFew) {
  const WindowGroups groups = GroupWindows(60, 20);
  EXPECT_EQ(groups.count, 3);
  EXPECT_EQ(GroupOf(groups, 0), 0);
  EXPECT_EQ(GroupOf(groups, 19), 0);
  EXPECT_EQ(GroupOf(groups, 20), 1);
  EXPECT_EQ(GroupOf(groups, 59), 2);
}

TEST(WindowGroupsTest, ShareManyWindowsOutInTurn) {
  const WindowGroups groups = GroupWindows(1300, 10);
  EXPECT_EQ(groups.count, 64);
  EXPECT_EQ(GroupOf(groups, 640), 0);
  EXPECT_EQ(GroupOf(groups, 1299), 1);
  EXPECT_EQ(groups.of_token.bincount().max().item<int64_t>(), 30);
  EXPECT_EQ(groups.of_token.bincount().min().item<int64_t>(), 20);
}

TEST(WindowGroupsTest, OfOneWindowAreOne) {
  const WindowGroups groups = GroupWindows(7, 7);
  EXPECT_EQ(groups.count, 1);
  EXPECT_EQ(groups.of_token.max().item<int64_t>(), 0);
}

}  // namespace
}  // namespace moeprobe
