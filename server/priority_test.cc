#include "server/priority.h"

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/violations.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

Viewer User() { return {.name = "alice"}; }
Viewer Admin() { return {.name = "ada", .is_admin = true}; }

TEST(ResolvePriorityTest, IsNormalWhereNothingIsSaid) {
  Violations violations;
  EXPECT_EQ(ResolvePriority(User(), v1::Job::PRIORITY_UNSPECIFIED, violations),
            JobPriority::kNormal);
  EXPECT_TRUE(violations.empty());
}

TEST(ResolvePriorityTest, AnswersInTheSameWords) {
  for (const v1::Job::Priority priority :
       {v1::Job::PRIORITY_LOW, v1::Job::PRIORITY_NORMAL,
        v1::Job::PRIORITY_HIGH}) {
    Violations violations;
    EXPECT_EQ(ToMessage(ResolvePriority(Admin(), priority, violations)),
              priority);
    EXPECT_TRUE(violations.empty());
  }
}

TEST(ResolvePriorityTest, LeavesHighToAdmins) {
  Violations violations;
  ResolvePriority(User(), v1::Job::PRIORITY_HIGH, violations);
  ASSERT_EQ(violations.list().size(), 1);
  EXPECT_EQ(violations.list()[0].field, "priority");
  EXPECT_TRUE(absl::IsPermissionDenied(violations.ToStatus()));
  EXPECT_THAT(violations.list()[0].description, testing::HasSubstr("admins"));
}

TEST(ResolvePriorityTest, RefusesValuesThatAreNone) {
  Violations violations;
  ResolvePriority(Admin(), static_cast<v1::Job::Priority>(9), violations);
  ASSERT_EQ(violations.list().size(), 1);
  EXPECT_EQ(violations.list()[0].description,
            "there is no value 9, expected low, normal or high");
}

}  // namespace
}  // namespace moeprobe
