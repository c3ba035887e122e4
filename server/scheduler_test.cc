#include "server/scheduler.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/resource_name.h"
#include "server/testing/parts_fixture.h"
#include "storage/access.h"
#include "storage/job.h"

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

// A file of which every read is an I/O error.
constexpr const char* kUnreadable = "/proc/self/mem";

v1::Job TrainingOn(const std::string& text) {
  v1::Job job;
  job.mutable_train()->mutable_data()->set_text(text);
  job.mutable_train()->add_variants()->set_name("top-2");
  job.mutable_train()->mutable_optimizer()->set_steps(4);
  return job;
}

TEST_F(SchedulerTest, LetsOthersPassAJobWhoseDataCannotBeRead) {
  const std::string text(2000, 'x');
  AddDataset("text", /*is_text=*/true, text);
  const int64_t first = Create(TrainingOn("text"));
  const int64_t second = Create();
  const auto blob = parts_.layout.blobs / Sha256Hex(text);
  const auto kept = directory_.path() / "kept";
  std::filesystem::rename(blob, kept);
  std::filesystem::create_symlink(kUnreadable, blob);
  testing::internal::CaptureStdout();
  EXPECT_EQ(Claim().job(), JobName(second));
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr(absl::StrCat("put off job=", first, " reason=")));
  EXPECT_EQ(Get(first).state, JobState::kQueued);
  EXPECT_THAT(parts_.rests.Resting(), ElementsAre(first));
  std::filesystem::rename(kept, blob);
  parts_.rests.Forget(first);  // as time would
  EXPECT_EQ(Claim().job(), JobName(first));
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
