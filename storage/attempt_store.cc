#include "storage/attempt_store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_rows.h"
#include "storage/matrix_rows.h"
#include "storage/published_layer.h"
#include "storage/share_rows.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// Progress that is worth an event: at most a few hundred for any job.
constexpr double kFractionStep = 0.005;

// The share of the job that is done has moved by a step since it was last told,
// or the job has not told of this work before.
constexpr const char* kIsNews = R"sql(
SELECT 1 WHERE coalesce((
  SELECT abs(fraction - ?2) >= ?3 FROM event WHERE job = ?1 AND
  kind = 'progress' ORDER BY sequence DESC LIMIT 1), 1)
OR NOT EXISTS (
  SELECT 1 FROM event WHERE job = ?1 AND kind = 'progress' AND
  substr(text, 1, instr(text || ':', ':') - 1) = ?4))sql";

constexpr const char* kAddProgress = R"sql(
INSERT INTO event(job, sequence, time, kind, text, fraction, layers_done)
SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, 'progress', ?3, ?4,
  (SELECT layers_done FROM job WHERE id = ?1)
FROM event WHERE job = ?1)sql";

// Returns the job if `attempt` holds it.
absl::StatusOr<JobRow> HeldJob(Connection& database, const AttemptId& attempt) {
  absl::StatusOr<JobRow> row = SelectJob(database, attempt.job);
  if (!row.ok() || !row->worker || row->attempt != attempt.attempt) {
    return absl::AbortedError(absl::StrCat(
        "attempt ", attempt.attempt, " no longer holds job ", attempt.job));
  }
  return row;
}

// What a phase is about: what stands before its first colon, such as a model's
// name. What follows may change as often as it is told.
std::string WorkOf(const std::string& phase) {
  return phase.substr(0, phase.find(':'));
}

// Notes how far the job is, and in its history, if it is news there. Returns
// whether anything changed.
bool NoteProgress(Connection& database, const JobRow& row,
                  const std::string& phase, double fraction, absl::Time now) {
  if (phase == row.phase && fraction == row.fraction) return false;
  Execute(database, "UPDATE job SET phase = ?2, fraction = ?3 WHERE id = ?1",
          row.id, phase, fraction);
  if (QueryInteger(database, kIsNews, row.id, fraction, kFractionStep,
                   WorkOf(phase))) {
    Execute(database, kAddProgress, row.id, absl::ToUnixMicros(now), phase,
            fraction);
  }
  return true;
}

void NoteEnvironment(Connection& database, int64_t job,
                     const std::map<int, std::string>& environment) {
  for (const auto& [part, bytes] : environment) {
    Execute(database,
            "UPDATE cache_entry SET environment = ?3 WHERE environment IS NULL "
            "AND id IN (SELECT entry FROM job_group WHERE job = ?1 AND "
            "part = ?2)",
            job, part, Blob{bytes});
  }
}

StateChange EndOf(const JobRow& row, const JobFailure& failure) {
  if (failure.code != static_cast<int>(absl::StatusCode::kCancelled)) {
    return {.state = JobState::kFailed, .failure = failure};
  }
  if (row.state == JobState::kRunning) return {.state = JobState::kQueued};
  return Cancellation("cancelled on request");
}

// Names one group that nobody published, if there is one.
std::optional<std::string> MissingGroup(Connection& database, int64_t job) {
  return QueryText(database,
                   "SELECT p.prefix || 'layer' || g.layer || ' ' || g.probe "
                   "FROM job_group g JOIN job_part p USING(job, part) WHERE "
                   "job = ?1 AND entry IS NULL",
                   job);
}

void NoteHeard(Connection& database, int64_t job, absl::Time now) {
  Execute(database, "UPDATE job SET heard_time = ?2 WHERE id = ?1", job,
          absl::ToUnixMicros(now));
}

// When a job's worker was last heard of.
absl::Time LastHeard(Connection& database, int64_t job) {
  constexpr const char* kLast =
      "SELECT coalesce(heard_time, attempt_time) FROM job WHERE id = ?1";
  return absl::FromUnixMicros(QueryInteger(database, kLast, job).value_or(0));
}

// Ends the claim on a job whose worker is gone.
void Release(Connection& database, const JobRow& row,
             const StateChange& when_running, absl::Time now) {
  ChangeState(database, row.id,
              row.state == JobState::kCancelling
                  ? Cancellation("cancelled on request")
                  : when_running,
              now);
}

// Says in the job's history why it is in the queue again.
void NoteWhyQueued(Connection& database, int64_t job,
                   const std::string& reason) {
  Execute(database,
          "UPDATE event SET error_code = ?2, error_message = ?3 WHERE job = ?1 "
          "AND text = 'QUEUED' AND sequence = (SELECT max(sequence) FROM event "
          "WHERE job = ?1)",
          job, static_cast<int>(absl::StatusCode::kInternal), reason);
}

StateChange Failure(const std::string& message) {
  return {.state = JobState::kFailed,
          .failure =
              JobFailure{.code = static_cast<int>(absl::StatusCode::kInternal),
                         .message = message}};
}

}  // namespace

absl::StatusOr<bool> AttemptStore::Report(
    const AttemptId& attempt, const std::string& phase, double fraction,
    const std::vector<std::string>& warnings) {
  bool changed = false;
  auto cancel = database_->Write([&](Connection& db) -> absl::StatusOr<bool> {
    MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, HeldJob(db, attempt));
    const absl::Time now = wall_();
    changed = NoteProgress(db, row, phase, fraction, now) || !warnings.empty();
    if (changed) NoteHeard(db, row.id, clock_());
    AddWarnings(db, row.id, warnings, now);
    return row.state == JobState::kCancelling;
  });
  if (cancel.ok() && changed) listener_(attempt.job);
  return cancel;
}

absl::Status AttemptStore::Publish(const AttemptId& attempt,
                                   const PublishedLayer& layer) {
  const absl::Status status =
      database_->Write([&](Connection& db) -> absl::Status {
        MOEPROBE_RETURN_IF_ERROR(HeldJob(db, attempt).status());
        const absl::Time now = wall_();
        for (const PublishedGroup& group : layer.groups) {
          CrashPoint("layer-between-cache-entries");
          InsertCacheEntry(db, group, layer.warnings, now);
        }
        Execute(db,
                "INSERT OR REPLACE INTO weights_fingerprint VALUES(?1, ?2, ?3)",
                layer.stamp, layer.layer, layer.weights_fingerprint);
        NoteHeard(db, attempt.job, clock_());
        CrashPoint("layer-cached-not-attached");
        if (AttachCachedGroups(db, attempt.job, layer.needed, now)) {
          Execute(db, "UPDATE job SET crash_count = 0 WHERE id = ?1",
                  attempt.job);
        }
        return absl::OkStatus();
      });
  if (status.ok()) listener_(attempt.job);
  return status;
}

absl::StatusOr<JobState> AttemptStore::Finish(const AttemptId& attempt,
                                              const AttemptEnd& end) {
  auto state =
      database_->Write([&](Connection& db) -> absl::StatusOr<JobState> {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, HeldJob(db, attempt));
        NoteProvenance(db, row.id, end.provenance);
        NoteEnvironment(db, row.id, end.environment);
        const absl::Time now = wall_();
        AddWarnings(db, row.id, end.warnings, now);
        const absl::Time end_time = clock_();
        ChargeAttempt(db, row.id, end_time, end_time);
        const auto missing = MissingGroup(db, row.id);
        if (end.failure) {
          ChangeState(db, row.id, EndOf(row, *end.failure), now);
        } else if (missing) {
          ChangeState(
              db, row.id,
              Failure(absl::StrCat("the worker finished without ", *missing)),
              now);
        } else {
          Succeed(db, row.id, now);
        }
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow ended, SelectJob(db, row.id));
        return ended.state;
      });
  if (state.ok()) listener_(attempt.job);
  return state;
}

absl::StatusOr<std::optional<JobRow>> AttemptStore::WorkerDied(
    int64_t worker, const std::string& reason, int max_crash_count) {
  auto released = database_->Write(
      [&](Connection& db) -> absl::StatusOr<std::optional<JobRow>> {
        const auto held =
            QueryInteger(db, "SELECT id FROM job WHERE worker = ?1", worker);
        if (!held) return std::nullopt;
        Execute(db,
                "UPDATE job SET crash_count = crash_count + 1 WHERE id = ?1 "
                "AND state = 'RUNNING'",
                *held);
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, *held));
        const absl::Time now = clock_();
        ChargeAttempt(db, row.id, now, now);
        Release(db, row,
                row.crash_count < max_crash_count
                    ? StateChange{.state = JobState::kQueued}
                    : Failure(absl::StrCat(reason, " (", row.crash_count,
                                           " times)")),
                wall_());
        NoteWhyQueued(db, *held, reason);
        MOEPROBE_ASSIGN_OR_RETURN(JobRow ended, SelectJob(db, *held));
        return ended;
      });
  if (released.ok() && *released) listener_((*released)->id);
  return released;
}

absl::Status AttemptStore::ReleaseAll() {
  std::vector<int64_t> held;
  const absl::Status status =
      database_->Write([&](Connection& db) -> absl::Status {
        held =
            SelectIds(Query(db, "SELECT id FROM job WHERE worker IS NOT NULL"));
        for (const int64_t id : held) {
          MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, id));
          ChargeAttempt(db, id, LastHeard(db, id), clock_());
          Release(db, row, {.state = JobState::kQueued}, wall_());
        }
        return absl::OkStatus();
      });
  if (status.ok()) {
    for (const int64_t id : held) listener_(id);
  }
  return status;
}

absl::StatusOr<std::vector<int64_t>> AttemptStore::OpenJobs() {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<int64_t>> {
        return SelectIds(
            Query(db, "SELECT id FROM job WHERE end_time IS NULL"));
      });
}

}  // namespace moeprobe
