#include "server/job_rests.h"

#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(JobRestsTest, RestsTwiceAsLongEachTimeAndNotForEver) {
  JobRests rests;
  auto expected = JobRests::kFirst;
  AttemptId attempt = {.job = 1, .attempt = 1};
  for (; attempt.attempt <= JobRests::kMaxCount; ++attempt.attempt) {
    EXPECT_EQ(rests.Begin(attempt), expected);
    expected *= 2;
  }
  EXPECT_EQ(rests.Begin(attempt), std::nullopt);
  EXPECT_EQ(rests.Begin({.job = 2, .attempt = 1}), JobRests::kFirst);
}

TEST(JobRestsTest, CountsAnAttemptOnce) {
  JobRests rests;
  for (int i = 0; i <= JobRests::kMaxCount; ++i) {
    EXPECT_EQ(rests.Begin({.job = 1, .attempt = 1}), JobRests::kFirst);
  }
  EXPECT_EQ(rests.Begin({.job = 1, .attempt = 2}), 2 * JobRests::kFirst);
}

TEST(JobRestsTest, CountsEachLookAtAJobThatNobodyTries) {
  JobRests rests;
  auto expected = JobRests::kFirst;
  for (int i = 0; i < JobRests::kMaxCount; ++i) {
    EXPECT_EQ(rests.Begin(1), expected);
    expected *= 2;
  }
  EXPECT_EQ(rests.Begin(1), std::nullopt);
  EXPECT_EQ(rests.Begin(2), JobRests::kFirst);
}

TEST(JobRestsTest, CountsNoPause) {
  JobRests rests;
  for (int i = 0; i <= JobRests::kMaxCount; ++i) rests.Pause(1);
  EXPECT_THAT(rests.Resting(), ElementsAre(1));
  EXPECT_EQ(rests.Begin({.job = 1, .attempt = 1}), JobRests::kFirst);
}

TEST(JobRestsTest, BeginsAnewForAJobThatGotOn) {
  JobRests rests;
  rests.Begin({.job = 1, .attempt = 1});
  EXPECT_THAT(rests.Resting(), ElementsAre(1));
  rests.Forget(1);
  EXPECT_THAT(rests.Resting(), IsEmpty());
  EXPECT_EQ(rests.Begin({.job = 1, .attempt = 2}), JobRests::kFirst);
}

}  // namespace
}  // namespace moeprobe
