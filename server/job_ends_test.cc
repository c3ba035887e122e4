#include "server/job_ends.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/parts_fixture.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class JobEndsTest : public PartsFixture {
 protected:
  [[nodiscard]] bool HasScratch(int64_t job) const {
    return std::filesystem::exists(parts_.layout.scratch / absl::StrCat(job));
  }
  int64_t job_ = Create();
};

TEST_F(JobEndsTest, LeaveNothingOfAJobThatIsFinal) {
  const AttemptId attempt = {.job = job_, .attempt = Claim().attempt()};
  parts_.rests.Begin(attempt);
  ASSERT_TRUE(HasScratch(job_));
  parts_.ends.AttemptEnded(attempt, JobState::kSucceeded, std::nullopt);
  EXPECT_FALSE(HasScratch(job_));
  EXPECT_THAT(parts_.running.All(), IsEmpty());
  EXPECT_THAT(parts_.rests.Resting(), IsEmpty());
}

TEST_F(JobEndsTest, KeepWhatAJobNeedsThatGoesOn) {
  const AttemptId attempt = {.job = job_, .attempt = Claim().attempt()};
  parts_.rests.Begin(attempt);
  parts_.ends.AttemptEnded(attempt, JobState::kQueued, std::nullopt);
  EXPECT_TRUE(HasScratch(job_));
  EXPECT_THAT(parts_.running.All(), IsEmpty());
  EXPECT_THAT(parts_.rests.Resting(), ElementsAre(job_));
}

// As where its end is stored, and another worker takes the job before it is
// acted on.
TEST_F(JobEndsTest, LeaveALaterAttemptItsTask) {
  const v1::Task task = Claim();
  const AttemptId earlier = {.job = job_, .attempt = task.attempt() - 1};
  parts_.ends.AttemptEnded(earlier, JobState::kQueued, std::nullopt);
  EXPECT_TRUE(parts_.running.Find(task.job(), task.attempt()).ok());
}

TEST_F(JobEndsTest, LeaveNothingOfAJobThatWasCancelledWhileItWaited) {
  std::filesystem::create_directories(parts_.layout.scratch /
                                      absl::StrCat(job_));
  parts_.rests.Pause(job_);
  ASSERT_TRUE(
      parts_.job_operations.Cancel(ServerItself(), absl::StrCat("jobs/", job_))
          .ok());
  EXPECT_FALSE(HasScratch(job_));
  EXPECT_THAT(parts_.rests.Resting(), IsEmpty());
}

}  // namespace
}  // namespace moeprobe
