#include "server/job_rests.h"

#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(JobRestsTest, RestsTwiceAsLongEachTimeAndNotForEver) {
  JobRests rests;
  auto expected = JobRests::kFirst;
  for (int i = 0; i < JobRests::kMaxCount; ++i) {
    EXPECT_EQ(rests.Begin(1), expected);
    expected *= 2;
  }
  EXPECT_EQ(rests.Begin(1), std::nullopt);
  EXPECT_EQ(rests.Begin(2), JobRests::kFirst);
}

TEST(JobRestsTest, BeginsAnewForAJobThatGotOn) {
  JobRests rests;
  rests.Begin(1);
  EXPECT_THAT(rests.Resting(), ElementsAre(1));
  rests.Forget(1);
  EXPECT_THAT(rests.Resting(), IsEmpty());
  EXPECT_EQ(rests.Begin(1), JobRests::kFirst);
}

}  // namespace
}  // namespace moeprobe
