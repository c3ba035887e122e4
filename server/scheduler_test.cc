#include "server/scheduler.h"

#include <cstdint>
#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/testing/parts_fixture.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

using testing::IsEmpty;

class SchedulerTest : public PartsFixture {
 protected:
  // Claims in vain, until it is found that the claim is over.
  void ClaimUntil(const std::function<bool()>& is_over) {
    bool gave_up = false;
    const auto task = parts_.scheduler.Claim(
        ClaimantUntil([&] { return gave_up = gave_up || is_over(); }));
    ASSERT_TRUE(task.ok()) << task.status();
    EXPECT_FALSE(task->has_value());
  }
};

TEST_F(SchedulerTest, StartsNothingForAClaimThatEndsMeanwhile) {
  const int64_t job = Create();
  // At each of the moments at which a claim may be found to be over.
  for (int moment = 0; moment < 4; ++moment) {
    ClaimUntil([left = moment]() mutable { return left-- <= 0; });
    EXPECT_EQ(Get(job).state, JobState::kQueued);
    EXPECT_EQ(Get(job).attempt, 0);
  }
  EXPECT_EQ(Claim().attempt(), 1);
}

TEST_F(SchedulerTest, BlamesNobodyForATaskThatNobodyGot) {
  const int64_t job = Create();
  ClaimUntil([&] { return Get(job).state == JobState::kRunning; });
  EXPECT_EQ(Get(job).state, JobState::kQueued);
  EXPECT_THAT(parts_.running.All(), IsEmpty());
  EXPECT_EQ(Claim().attempt(), 2);
  EXPECT_EQ(Get(job).crash_count, 0);
}

TEST_F(SchedulerTest, CancelsATaskThatNobodyGot) {
  const int64_t job = Create();
  ClaimUntil([&] {
    return Get(job).state == JobState::kRunning &&
           parts_.jobs.Cancel(ServerItself(), job).ok();
  });
  EXPECT_EQ(Get(job).state, JobState::kCancelled);
}

TEST_F(SchedulerTest, LeavesALaterClaimWhatItGot) {
  const int64_t job = Create();
  EXPECT_EQ(Claim().attempt(), 1);
  // The first claim of this worker, which had to wait for a look at the queue.
  ClaimUntil([] { return true; });
  EXPECT_EQ(Get(job).state, JobState::kRunning);
  EXPECT_EQ(Get(job).crash_count, 0);
}

}  // namespace
}  // namespace moeprobe
