#include "server/scheduler.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/job_rests.h"
#include "server/resource_name.h"
#include "server/testing/parts_fixture.h"
#include "storage/access.h"
#include "storage/job.h"
#include "tests/testing/no_descriptors.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
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

v1::Job TrainingOn(const std::string& text) {
  v1::Job job;
  job.mutable_train()->mutable_data()->set_text(text);
  job.mutable_train()->add_variants()->set_name("top-2");
  job.mutable_train()->mutable_optimizer()->set_steps(4);
  return job;
}

// Of which no file has to be read.
v1::Job TrainingOnExamples() {
  v1::Job job;
  v1::TrainSpec& spec = *job.mutable_train();
  spec.set_task(v1::TRAINING_TASK_MLP);
  spec.mutable_data()->mutable_synthetic();
  spec.add_variants()->set_name("top-2");
  spec.mutable_optimizer()->set_steps(4);
  return job;
}

TEST_F(SchedulerTest, LetsOthersPassAJobWhoseModelCannotBeRead) {
  const int64_t first = Create();
  const int64_t second = Create(TrainingOnExamples());
  testing::internal::CaptureStdout();
  {
    const NoDescriptors limit;
    EXPECT_EQ(Claim().job(), JobName(second));
  }
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr(absl::StrCat("put off job=", first, " reason=")));
  EXPECT_EQ(Get(first).state, JobState::kQueued);
  EXPECT_THAT(parts_.rests.Resting(), ElementsAre(first));
  parts_.rests.Forget(first);  // as time would
  EXPECT_EQ(Claim().job(), JobName(first));
}

TEST_F(SchedulerTest, LetsOthersPassAJobWhoseTokenizerCannotBeRead) {
  AddDataset("text", /*is_text=*/true, std::string(2000, 'x'));
  WriteBytes(root_ / "mixtral/tokenizer.json", "{}");
  v1::Job job = TrainingOn("text");
  job.mutable_train()->mutable_data()->set_vocabulary("mixtral");
  const int64_t first = Create(job);
  const int64_t second = Create(TrainingOnExamples());
  {
    const NoDescriptors limit;
    EXPECT_EQ(Claim().job(), JobName(second));
  }
  EXPECT_EQ(Get(first).state, JobState::kQueued);
}

TEST_F(SchedulerTest, LetsOthersPassAJobWhoseModelIsNotThere) {
  const int64_t first = Create();
  const int64_t second = Create(TrainingOnExamples());
  std::filesystem::rename(root_ / "mixtral", directory_.path() / "kept");
  EXPECT_EQ(Claim().job(), JobName(second));
  EXPECT_EQ(Get(first).state, JobState::kQueued);
  EXPECT_THAT(parts_.rests.Resting(), ElementsAre(first));
  std::filesystem::rename(directory_.path() / "kept", root_ / "mixtral");
  parts_.rests.Forget(first);  // as time would
  EXPECT_EQ(Claim().job(), JobName(first));
}

TEST_F(SchedulerTest, WaitsNotForEverForAModel) {
  const int64_t job = Create();
  std::filesystem::remove_all(root_ / "mixtral");
  for (int i = 0; i < JobRests::kMaxCount; ++i) parts_.rests.Begin(job);
  parts_.rests.Pause(job);  // instead of the last, longest rest
  ClaimUntil([&] { return Get(job).state != JobState::kQueued; });
  const JobRow row = Get(job);
  EXPECT_EQ(row.state, JobState::kFailed);
  ASSERT_TRUE(row.failure.has_value());
  EXPECT_EQ(row.failure->code, static_cast<int>(absl::StatusCode::kNotFound));
  EXPECT_EQ(row.failure->message, "there is no model \"mixtral\" (7 times)");
}

TEST_F(SchedulerTest, FailsAJobWhoseModelIsBroken) {
  const int64_t job = Create();
  WriteBytes(root_ / "mixtral/config.json", "{");
  ClaimUntil([&] { return Get(job).state != JobState::kQueued; });
  const JobRow row = Get(job);
  ASSERT_TRUE(row.failure.has_value());
  EXPECT_EQ(row.failure->code,
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
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
