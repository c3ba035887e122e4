#include "server/running_tasks.h"

#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kJob = 7;
constexpr int64_t kWorker = 4711;
constexpr seconds kPatience{60};
constexpr absl::Duration kBefore = absl::Minutes(20);
constexpr AttemptId kAttempt = {.job = kJob, .attempt = 2};

MATCHER_P(IsOf, worker, "") { return arg != nullptr && arg->worker == worker; }

class RunningTasksTest : public testing::Test {
 protected:
  RunningTasksTest() {
    RunningTask task;
    task.attempt = kAttempt;
    task.worker = kWorker;
    task.before = kBefore;
    start_ = task.start;
    tasks_.Add(task);
  }

  RunningTasks tasks_;
  RunningTasks::Clock::time_point start_;
};

TEST_F(RunningTasksTest, StallWhereNothingIsTold) {
  EXPECT_THAT(tasks_.Stalled(kPatience, start_), IsEmpty());
  EXPECT_THAT(tasks_.Stalled(kPatience, start_ + kPatience),
              ElementsAre(IsOf(kWorker)));
  tasks_.Remove(kAttempt);
  EXPECT_THAT(tasks_.Stalled(kPatience, start_ + kPatience), IsEmpty());
}

TEST_F(RunningTasksTest, LeaveTheRunsOfThoseThatHaveEnded) {
  RunningTask task;
  task.attempt = {.job = 8, .attempt = 1};
  for (const char* model : {"trained/a/step-0", "trained/a/step-5", "other"}) {
    task.plan.parts.emplace_back().model.name = model;
  }
  tasks_.Add(task);
  EXPECT_THAT(tasks_.TakeEndedRuns(), IsEmpty());
  tasks_.Remove(task.attempt);
  tasks_.Remove(kAttempt);
  EXPECT_THAT(tasks_.TakeEndedRuns(), ElementsAre("a"));
  EXPECT_THAT(tasks_.TakeEndedRuns(), IsEmpty());
}

TEST_F(RunningTasksTest, ArePartedFromTheAttemptThatHoldsThem) {
  EXPECT_EQ(tasks_.Remove({.job = kJob, .attempt = 1}), nullptr);
  EXPECT_THAT(tasks_.HeldBy(kWorker), IsOf(kWorker));
  EXPECT_EQ(tasks_.HeldBy(kWorker + 1), nullptr);
  const auto removed = tasks_.Remove(kAttempt);
  ASSERT_NE(removed, nullptr);
  EXPECT_EQ(removed->worker, kWorker);
  EXPECT_EQ(tasks_.Remove(kAttempt), nullptr);
}

TEST_F(RunningTasksTest, StallWhereTheSameIsTold) {
  const auto later = start_ + kPatience;
  tasks_.NoteProgress(kAttempt, "layer 0", 0.5, later);
  EXPECT_THAT(tasks_.Stalled(kPatience, later), IsEmpty());
  tasks_.NoteProgress(kAttempt, "layer 0", 0.5, later + seconds(30));
  EXPECT_THAT(tasks_.Stalled(kPatience, later + kPatience),
              ElementsAre(IsOf(kWorker)));
}

TEST_F(RunningTasksTest, GetOnByAWordAShareOrALayer) {
  auto now = start_ + kPatience;
  tasks_.NoteProgress(kAttempt, "layer 0", 0.5, now);
  EXPECT_THAT(tasks_.Stalled(kPatience, now), IsEmpty());
  now += kPatience;
  tasks_.NoteProgress(kAttempt, "layer 0", 0.6, now);
  EXPECT_THAT(tasks_.Stalled(kPatience, now), IsEmpty());
  now += kPatience;
  tasks_.NoteProgress(kAttempt, "layer 1", 0.6, now);
  EXPECT_THAT(tasks_.Stalled(kPatience, now), IsEmpty());
  now += kPatience;
  tasks_.NoteLayer(kAttempt, now);
  EXPECT_THAT(tasks_.Stalled(kPatience, now), IsEmpty());
}

TEST_F(RunningTasksTest, HearNothingOfAnAttemptThatIsOver) {
  const AttemptId before = {.job = kJob, .attempt = 1};
  const auto later = start_ + kPatience;
  tasks_.NoteProgress(before, "layer 0", 0.5, later);
  tasks_.NoteLayer(before, later);
  EXPECT_THAT(tasks_.Stalled(kPatience, later), ElementsAre(IsOf(kWorker)));
}

TEST_F(RunningTasksTest, AreOverdueFromTheFirstStartOfTheirJob) {
  const absl::Duration most = absl::Hours(1);
  const auto end = start_ + absl::ToChronoNanoseconds(most - kBefore);
  EXPECT_THAT(tasks_.Overdue(most, end - seconds(1)), IsEmpty());
  const auto overdue = tasks_.Overdue(most, end);
  ASSERT_EQ(overdue.size(), 1);
  EXPECT_EQ(overdue[0]->attempt.job, kJob);
}

}  // namespace
}  // namespace moeprobe
