#include "server/job_places.h"

#include <google/protobuf/repeated_ptr_field.h>
#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/job_messages.h"
#include "server/memory_schedule.h"
#include "server/memory_waits.h"
#include "server/queue_looks.h"
#include "server/running_tasks.h"
#include "server/worker_pulse.h"
#include "storage/access.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using google::protobuf::util::TimeUtil;

class JobPlacesTest : public testing::Test {
 protected:
  JobRow Submit(std::optional<double> seconds,
                const std::string& owner = "alice") {
    NewJob job;
    job.access.owner = owner;
    job.request_key = absl::StrCat(++keys_);
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    job.needs.seconds = seconds;
    return *jobs_.Get(ServerItself(), jobs_.Create(job)->job.id);
  }

  // Seconds until a job is expected to start.
  std::optional<int64_t> Wait(const v1::Job& job) {
    if (!job.has_estimated_start_time()) return std::nullopt;
    return TimeUtil::TimestampToSeconds(job.estimated_start_time()) -
           absl::ToUnixSeconds(now_);
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  int keys_ = 0;
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), [](int64_t) {}};
  std::function<absl::Time()> clock_ = [this] { return now_; };
  JobQueue queue_{database_.get(), [](int64_t) {}, clock_, {}, clock_};
  WorkerPulse pulse_;
  MemorySchedule memory_{0};
  RunningTasks running_;
  MemoryWaits waits_{&memory_, &running_, &jobs_};
  QueueLooks looks_{&queue_, &pulse_, &memory_, 1};
  const JobPlaces places_{&looks_, &waits_};
};

TEST_F(JobPlacesTest, TellsWhereAJobStands) {
  Submit(100);
  Submit(20);
  const auto shown = places_.Show(ServerItself(), Submit(1));
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->queue_position(), 2);
  EXPECT_EQ(Wait(*shown), 120);
  EXPECT_EQ(shown->estimated_seconds(), 1);
}

TEST_F(JobPlacesTest, SaysNothingOfAStartThatNobodyKnows) {
  const JobRow job = Submit(1);
  EXPECT_EQ(Wait(*places_.Show(ServerItself(), job)), 0);
  // No worker, as long as none has called.
  QueueLooks by_hand(&queue_, &pulse_, &memory_, 0);
  EXPECT_EQ(Wait(*JobPlaces(&by_hand, &waits_).Show(ServerItself(), job)),
            std::nullopt);
  Submit(std::nullopt);
  const auto last = places_.Show(ServerItself(), Submit(1));
  EXPECT_EQ(last->queue_position(), 2);
  EXPECT_EQ(Wait(*last), std::nullopt);
}

TEST_F(JobPlacesTest, ForeseesThatAJobWaitsForMemory) {
  MemorySchedule memory(10);
  QueueLooks looks(&queue_, &pulse_, &memory, 2);
  const JobNeeds needs = {.seconds = 100, .memory_bytes = 6};
  ASSERT_TRUE(queue_.Start(Submit(100).id, 4711, needs).ok());
  const JobRow small = Submit(1);
  const JobRow large = Submit(1);
  ASSERT_TRUE(
      queue_.NoteNeeds(small.id, {.seconds = 1, .memory_bytes = 4}).ok());
  ASSERT_TRUE(
      queue_.NoteNeeds(large.id, {.seconds = 1, .memory_bytes = 5}).ok());
  const auto wait = [&](QueueLooks& seen, const JobRow& job) {
    return Wait(*JobPlaces(&seen, &waits_).Show(ServerItself(), job));
  };
  EXPECT_EQ(wait(looks, small), 0);
  EXPECT_EQ(wait(looks, large), 100);
  QueueLooks without_budget(&queue_, &pulse_, &memory_, 2);
  EXPECT_EQ(wait(without_budget, large), 1);
}

TEST_F(JobPlacesTest, FillsThoseThatAreQueued) {
  google::protobuf::RepeatedPtrField<v1::Job> jobs;
  *jobs.Add() = *ToMessage(Submit(7));
  *jobs.Add() = *ToMessage(Submit(7));
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), 1).ok());
  *jobs.Add() = *ToMessage(*jobs_.Get(ServerItself(), 1));
  ASSERT_TRUE(places_.Fill(jobs).ok());
  EXPECT_EQ(Wait(jobs[0]), std::nullopt);  // it was queued, and is no longer
  EXPECT_EQ(Wait(jobs[1]), 0);
  EXPECT_EQ(Wait(jobs[2]), std::nullopt);
}

TEST_F(JobPlacesTest, TellsWhenTheNextJobOfAUserStarts) {
  ASSERT_TRUE(queue_.Start(Submit(100).id, 4711, {.seconds = 100}).ok());
  Submit(20, "bob");
  Submit(7);
  Submit(1);
  // Alice holds the worker, so Bob is next.
  EXPECT_EQ(places_.NextStart(std::nullopt), now_ + absl::Seconds(100));
  EXPECT_EQ(places_.NextStart("bob"), now_ + absl::Seconds(100));
  EXPECT_EQ(places_.NextStart("alice"), now_ + absl::Seconds(120));
  EXPECT_EQ(places_.NextStart("carol"), std::nullopt);
}

TEST_F(JobPlacesTest, KnowsNoStartBehindWhatTakesNobodyKnowsHowLong) {
  ASSERT_TRUE(queue_.Start(Submit(std::nullopt).id, 4711).ok());
  Submit(1);
  EXPECT_EQ(places_.NextStart(std::nullopt), std::nullopt);
  EXPECT_EQ(places_.NextStart("alice"), std::nullopt);
}

TEST_F(JobPlacesTest, LooksOnceASecondForThoseWhoAskOften) {
  QueueLooks::Clock::time_point time;
  QueueLooks looks(&queue_, &pulse_, &memory_, 1, [&] { return time; });
  const auto first = *looks.Recent();
  Submit(1);
  EXPECT_EQ((*looks.Now())->places.size(), 1);
  time += std::chrono::milliseconds(999);
  EXPECT_EQ(*looks.Recent(), first);
  time += std::chrono::milliseconds(1);
  EXPECT_EQ((*looks.Recent())->places.size(), 1);
}

TEST_F(JobPlacesTest, LooksForAFiftiethOfTheTimeAtMost) {
  QueueLooks::Clock::time_point time;
  std::chrono::seconds step{1};  // each time that somebody reads the clock
  QueueLooks looks(&queue_, &pulse_, &memory_, 1, [&] { return time += step; });
  const auto first = *looks.Recent();
  step = std::chrono::seconds(0);
  time += std::chrono::seconds(48);
  EXPECT_EQ(*looks.Recent(), first);
  time += std::chrono::seconds(1);
  EXPECT_NE(*looks.Recent(), first);
}

}  // namespace
}  // namespace moeprobe
