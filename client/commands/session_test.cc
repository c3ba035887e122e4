#include "client/commands/session.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(JobNameTest, TakesANumberOrAName) {
  EXPECT_EQ(*JobName("17"), "jobs/17");
  EXPECT_EQ(*JobName("jobs/17"), "jobs/17");
}

TEST(JobNameTest, RefusesEverythingElse) {
  for (const char* job : {"", "jobs/", "0", "017", "-1", "1.5", "jobs/x",
                          "models/1", "1 ", "99999999999999999999"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(JobName(job).status())) << job;
  }
}

}  // namespace
}  // namespace moeprobe
