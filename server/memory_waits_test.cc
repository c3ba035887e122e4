#include "server/memory_waits.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/memory_schedule.h"
#include "server/running_tasks.h"
#include "storage/access.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// alice's private job holds 6 of 10 bytes; two of bob's wait, the first for 8.
class MemoryWaitsTest : public testing::Test {
 protected:
  MemoryWaitsTest() {
    running_job_ = Submit({.owner = "alice", .is_private = true}, 6);
    next_ = Submit({.owner = "bob"}, 8);
    behind_ = Submit({.owner = "bob"}, 3);
    EXPECT_TRUE(queue_.Start(running_job_, 1).ok());
    RunningTask task;
    task.attempt = {.job = running_job_, .attempt = 1};
    task.memory_bytes = 6;
    running_.Add(task);
  }

  int64_t Submit(const Access& access, int64_t bytes) {
    NewJob job;
    job.access = access;
    job.request_key = absl::StrCat("key", bytes);
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    job.needs = {.seconds = 1, .memory_bytes = bytes};
    return jobs_.Create(job)->job.id;
  }

  // Somebody asks for work.
  void LookForWork() {
    EXPECT_FALSE(memory_.MayStart(next_, 8, running_.Memory(),
                                  MemorySchedule::Clock::now()));
  }

  v1::Job Show(const std::string& viewer, int64_t id) {
    v1::Job job;
    waits_.Fill({.name = viewer, .is_admin = false},
                *jobs_.Get(ServerItself(), id), job);
    return job;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), [](int64_t) {}};
  JobQueue queue_{database_.get(), [](int64_t) {}};
  MemorySchedule memory_{10};
  RunningTasks running_;
  MemoryWaits waits_{&memory_, &running_, &jobs_};
  int64_t running_job_ = 0, next_ = 0, behind_ = 0;
};

TEST_F(MemoryWaitsTest, SayNothingWhileNoWorkerAsks) {
  EXPECT_FALSE(Show("bob", next_).has_memory_wait());
  EXPECT_FALSE(Show("alice", running_job_).has_memory_wait());
}

TEST_F(MemoryWaitsTest, SayWhatTheNextJobWaitsFor) {
  LookForWork();
  const v1::MemoryWait wait = Show("alice", next_).memory_wait();
  EXPECT_EQ(wait.needed_bytes(), 8);
  EXPECT_EQ(wait.held_bytes(), 6);
  EXPECT_EQ(wait.budget_bytes(), 10);
  EXPECT_THAT(wait.holders(), ElementsAre("jobs/1"));
  EXPECT_EQ(wait.kept_bytes(), 0);
  EXPECT_FALSE(Show("alice", running_job_).has_memory_wait());
}

TEST_F(MemoryWaitsTest, SayForWhomMemoryIsKept) {
  LookForWork();
  const v1::MemoryWait wait = Show("bob", behind_).memory_wait();
  EXPECT_EQ(wait.needed_bytes(), 3);
  EXPECT_EQ(wait.kept_bytes(), 8);
  EXPECT_EQ(wait.kept_for(), "jobs/2");
}

TEST_F(MemoryWaitsTest, NameNoJobThatTheViewerMayNotSee) {
  LookForWork();
  const v1::MemoryWait wait = Show("bob", next_).memory_wait();
  EXPECT_EQ(wait.held_bytes(), 6);
  EXPECT_THAT(wait.holders(), IsEmpty());
}

TEST_F(MemoryWaitsTest, ForgetAJobThatWaitsNoMore) {
  LookForWork();
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), next_).ok());
  EXPECT_FALSE(Show("bob", next_).has_memory_wait());
  EXPECT_FALSE(Show("bob", behind_).has_memory_wait());
}

}  // namespace
}  // namespace moeprobe
