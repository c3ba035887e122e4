// The life cycle as the schema enforces it, whoever writes.

#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>
// After gtest.h, which it needs.
#include <rapidcheck/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "storage/access.h"
#include "storage/attempt_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
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
const std::set<std::pair<JobState, JobState>> kLegal = {
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
};

// A database with one job, and a way to any state.
class OneJob {
 public:
  OneJob() {
    NewJob job;
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    id_ = *jobs_.Create(job);
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
      ChangeState(db, id_, change);
      return absl::OkStatus();
    });
  }

  JobState state() { return jobs_.Get(ServerItself(), id_)->state; }
  int64_t id() const { return id_; }
  Database& database() { return *database_; }
  JobStore& jobs() { return jobs_; }
  JobQueue& queue() { return queue_; }
  AttemptStore& attempts() { return attempts_; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), [](int64_t) {}};
  JobQueue queue_{database_.get(), [](int64_t) {}};
  AttemptStore attempts_{database_.get(), [](int64_t) {}};
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
      EXPECT_EQ(moved, kLegal.contains({from, to}))
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

// One random step; steps that do not fit the state fail or do nothing.
void Step(OneJob& job, AttemptId& attempt, int step) {
  switch (step) {
    case 0:
      if (auto started = job.queue().Start(job.id(), 1); started.ok()) {
        attempt = *started;
      }
      break;
    case 1:
      (void)job.jobs().Cancel(ServerItself(), job.id());
      break;
    case 2:
      (void)job.attempts().Report(attempt, "p", 0.5, {"w"});
      break;
    case 3:
      (void)job.attempts().Publish(
          attempt,
          {.layer = 0,
           .stamp = "s",
           .weights_fingerprint = "w",
           .groups = {{.probe = "routing", .key = "k", .arrays = {}}},
           .needed = {{.part = 0, .layer = 0, .probe = "routing", .key = "k"}},
           .warnings = {}});
      break;
    case 4:
      (void)job.attempts().Finish(attempt, {});
      break;
    case 5:
      (void)job.attempts().WorkerDied(1, "died", 3);
      break;
    default:
      (void)job.attempts().ReleaseAll();
  }
}

RC_GTEST_PROP(JobLifeTest, KeepsAHistoryWithoutGapsThatEndsInTheState,
              (const std::vector<int>& seeds)) {
  OneJob job;
  AttemptId attempt{.job = job.id(), .attempt = 0};
  for (const int seed : seeds) {
    const JobState before = job.state();
    Step(job, attempt, std::abs(seed % 7));
    if (IsFinal(before)) RC_ASSERT(job.state() == before);
  }
  int64_t sequence = 0;
  JobState last = JobState::kQueued;
  const auto events = job.jobs().EventsAfter(ServerItself(), job.id(), 0, 1000);
  for (const JobEventRow& event : *events) {
    RC_ASSERT(event.sequence == ++sequence);
    if (event.kind != JobEventRow::Kind::kState) continue;
    RC_ASSERT(sequence == 1 || kLegal.contains({last, event.state}));
    last = event.state;
  }
  RC_ASSERT(last == job.state());
}

}  // namespace
}  // namespace moeprobe
