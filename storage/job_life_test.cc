// The life cycle as the schema enforces it, whoever writes.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "storage/access.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_rows.h"
#include "storage/job_store.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

constexpr std::array kStates = {JobState::kQueued,     JobState::kRunning,
                                JobState::kCancelling, JobState::kSucceeded,
                                JobState::kFailed,     JobState::kCancelled};

// The transitions there should be.
constexpr std::array<std::pair<JobState, JobState>, 12> kLegal = {{
    {JobState::kQueued, JobState::kRunning},
    {JobState::kQueued, JobState::kSucceeded},
    {JobState::kQueued, JobState::kFailed},
    {JobState::kQueued, JobState::kCancelled},
    {JobState::kRunning, JobState::kQueued},
    {JobState::kRunning, JobState::kSucceeded},
    {JobState::kRunning, JobState::kFailed},
    {JobState::kRunning, JobState::kCancelling},
    {JobState::kRunning, JobState::kCancelled},
    {JobState::kCancelling, JobState::kSucceeded},
    {JobState::kCancelling, JobState::kFailed},
    {JobState::kCancelling, JobState::kCancelled},
}};

// A database with one job, and a way to any state.
class OneJob {
 public:
  OneJob() {
    NewJob job;
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    id_ = jobs_.Create(job)->job.id;
  }

  // Moves the job with all the columns that the state asks for.
  absl::Status Move(JobState state) {
    return database_->Write([&](Connection& db) -> absl::Status {
      StateChange change{.state = state};
      if (state == JobState::kFailed || state == JobState::kCancelled) {
        change.failure = JobFailure{.code = 1, .message = "m"};
      }
      if (state == JobState::kRunning || state == JobState::kCancelling) {
        Execute(db, "PRAGMA ignore_check_constraints = ON");
        Execute(db, "UPDATE job SET worker = 1, attempt = 1, start_time = 1");
        Execute(db, "PRAGMA ignore_check_constraints = OFF");
      }
      ChangeState(db, id_, change, absl::Now());
      return absl::OkStatus();
    });
  }

  JobState state() { return jobs_.Get(ServerItself(), id_)->state; }
  Database& database() { return *database_; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), [](int64_t) {}};
  int64_t id_ = 0;
};

// Moves to `state` along legal transitions.
void Bring(OneJob& job, JobState state) {
  if (state == JobState::kQueued) return;
  ASSERT_TRUE(job.Move(JobState::kRunning).ok());
  if (state == JobState::kRunning) return;
  ASSERT_TRUE(job.Move(state).ok());
}

TEST(JobLifeTest, AllowsTheTransitionsThereAreAndNoOther) {
  for (const JobState from : kStates) {
    for (const JobState to : kStates) {
      if (from == to) continue;
      OneJob job;
      Bring(job, from);
      const bool moved = job.Move(to).ok();
      EXPECT_EQ(moved, std::ranges::count(kLegal, std::pair(from, to)) == 1)
          << NameOf(from) << " to " << NameOf(to);
      EXPECT_EQ(job.state(), moved ? to : from);
    }
  }
}

TEST(JobLifeTest, RefusesRowsThatContradictThemselves) {
  OneJob job;
  for (const char* sql : {
           "UPDATE job SET state = 'LOST'",
           "UPDATE job SET worker = 1",
           "UPDATE job SET end_time = 1",
           "UPDATE job SET error_code = 1, error_message = 'm'",
           "UPDATE job SET fraction = 1.5",
           "UPDATE job SET cached = 1",
           "UPDATE job SET state = 'RUNNING'",
           "INSERT INTO job(state, spec, request_key, layer_count, "
           "create_time, change_time, end_time) "
           "VALUES('SUCCEEDED', x'', '', 0, 0, 0, 0)",
           "INSERT INTO event(job, sequence, time, kind, text) "
           "VALUES(1, 3, 0, 'layer', '')",
           "INSERT INTO event(job, sequence, time, kind, text) "
           "VALUES(99, 1, 0, 'layer', '')",
       }) {
    EXPECT_EQ(job.database()
                  .Write([&](Connection& db) -> absl::Status {
                    Execute(db, sql);
                    return absl::OkStatus();
                  })
                  .code(),
              absl::StatusCode::kFailedPrecondition)
        << sql;
  }
}

}  // namespace
}  // namespace moeprobe
