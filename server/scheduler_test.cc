#include "server/scheduler.h"

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
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
    ASSERT_EQ(Get(job).state, JobState::kQueued);
    ASSERT_EQ(Get(job).attempt, 0);
  }
  EXPECT_EQ(Claim().attempt(), 1);
}

TEST_F(SchedulerTest, BlamesNobodyForATaskThatNobodyGot) {
  const int64_t job = Create();
  ClaimUntil([&] { return Get(job).state == JobState::kRunning; });
  ASSERT_EQ(Get(job).state, JobState::kQueued);
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

// Looks of a worker that wakes itself are many thousands.
TEST_F(SchedulerTest, LooksAtAJobThatWaitsForMemoryOnlyNowAndThen) {
  Create();
  Claim();
  const int64_t bytes = parts_.running.HeldBy(kWorker)->memory_bytes;
  const int64_t second = Create(Analysis(1));  // of the same size
  const int64_t room = parts_.memory.job_bytes();
  ASSERT_TRUE(parts_.scheduler.AddPinned(room - 2 * bytes + 1).ok());
  int looks = 0;
  const absl::Time end = absl::Now() + absl::Seconds(1);
  Claimant other = ClaimantUntil([&] {
    ++looks;
    return absl::Now() >= end;
  });
  other.worker = kWorker + 1;
  const auto task = parts_.scheduler.Claim(other);
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_FALSE(task->has_value());
  EXPECT_LT(looks, 30);
  EXPECT_EQ(Get(second).state, JobState::kQueued);
}

// To give a worker up takes time, in which it may end one task and get another.
TEST_F(SchedulerTest, TakesNoOtherTaskFromAWorkerThanTheOneItIsToLose) {
  const int64_t first = Create();
  Claim();
  const auto lost = parts_.running.HeldBy(kWorker);
  ASSERT_NE(lost, nullptr);
  ASSERT_TRUE(parts_.task_operations.Fail(*lost, {}).ok());
  const int64_t second = Create();
  Claim();
  EXPECT_FALSE(*parts_.scheduler.LoseWorkerOf(*lost, "said nothing"));
  EXPECT_EQ(Get(first).state, JobState::kFailed);
  EXPECT_EQ(Get(second).state, JobState::kRunning);
  EXPECT_TRUE(*parts_.scheduler.LoseWorkerOf(*parts_.running.HeldBy(kWorker),
                                             "said nothing"));
  EXPECT_EQ(Get(second).state, JobState::kQueued);
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
