#include "server/resource_name.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(ResourceNameTest, ReadsTheJobsItNames) {
  EXPECT_EQ(*ParseJobName(JobName(42)), 42);
}

TEST(ResourceNameTest, RefusesEverythingElse) {
  for (const char* name :
       {"", "jobs/", "jobs/0", "jobs/-1", "jobs/+1", "jobs/ 1", "jobs/1/x",
        "job/1", "1", "jobs/99999999999999999999", "jobs/0x1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseJobName(name).status())) << name;
  }
}

TEST(ResourceNameTest, ReadsTheDataSetsItNames) {
  const std::string sha256(64, 'a');
  EXPECT_EQ(*ParseDatasetName(DatasetName(sha256)), sha256);
  for (const std::string& name :
       {std::string("datasets/abc"), sha256,
        absl::StrCat("datasets/", std::string(64, 'A')),
        std::string("datasets/../") + std::string(61, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDatasetName(name).status()))
        << name;
  }
}

TEST(ResourceNameTest, ReadsTheUsersItNames) {
  EXPECT_EQ(*ParseUserName(UserName("bob")), "bob");
  for (const char* name : {"bob", "users/", "users/a/b", "user/bob"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseUserName(name).status())) << name;
  }
}

TEST(ResourceNameTest, KnowsUuids) {
  EXPECT_TRUE(IsUuid("123e4567-e89b-12d3-a456-426614174000"));
  EXPECT_TRUE(IsUuid("123E4567-E89B-12D3-A456-426614174000"));
  EXPECT_FALSE(IsUuid("123e4567e89b12d3a456426614174000"));
  EXPECT_FALSE(IsUuid("123e4567-e89b-12d3-a456-42661417400g"));
  EXPECT_FALSE(IsUuid(""));
}

}  // namespace
}  // namespace moeprobe
