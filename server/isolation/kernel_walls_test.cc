#include "server/isolation/kernel_walls.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr KernelWalls kAll = {.landlock_version = 7,
                              .can_forbid_sockets = true};
constexpr KernelWalls kDebian12 = {.landlock_version = 2,
                                   .can_forbid_sockets = true};

TEST(KernelWallsTest, AreCompleteUnderANewKernel) {
  EXPECT_THAT(GapsIn(kAll), IsEmpty());
  EXPECT_EQ(CheckWalls(kAll), absl::OkStatus());
}

TEST(KernelWallsTest, HaveGapsUnderAnOlderOneAndAreEnough) {
  EXPECT_THAT(GapsIn(kDebian12),
              ElementsAre(HasSubstr("Linux 6.2"), HasSubstr("Linux 6.12")));
  EXPECT_EQ(CheckWalls(kDebian12), absl::OkStatus());
}

TEST(KernelWallsTest, SayWhatHolds) {
  EXPECT_EQ(Description(kAll),
            "workers are kept to their files by Landlock 7 and from sockets by "
            "seccomp");
  EXPECT_EQ(Description({}),
            "workers are kept to their files by nothing and from sockets by "
            "nothing");
}

TEST(KernelWallsTest, SayWhatIsMissingAndWhatToDo) {
  EXPECT_THAT(GapsIn({}), ElementsAre(HasSubstr("use Linux 5.13"),
                                      HasSubstr("CONFIG_SECCOMP_FILTER")));
  const absl::Status missing = CheckWalls({});
  EXPECT_EQ(missing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr("workers cannot be isolated: there is no Landlock"));
  EXPECT_FALSE(CheckWalls({.landlock_version = 7}).ok());
  EXPECT_FALSE(CheckWalls({.can_forbid_sockets = true}).ok());
}

}  // namespace
}  // namespace moeprobe
