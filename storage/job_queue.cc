#include "storage/job_queue.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_rows.h"
#include "storage/queue_forecast.h"
#include "storage/queue_snapshot.h"
#include "storage/share_rows.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// For each user who waits and each priority, the job that goes first; of these,
// the one that goes next. ?1: those that rest; ?2: now; ?3: what is left of
// stored seconds; ?4: the time by which jobs wait; ?5: workers that a user may
// hold, 0: all; ?6: memory for a job, NULL: any amount; ?7: for one of at most
// ?8 seconds; ?9: how long a job of low priority waits until it counts as one
// of normal priority. A job of which nobody knows what it takes is let through,
// for whoever asks to find out.
constexpr const char* kNextQueued = R"sql(
WITH held(owner, seconds, count) AS (
  SELECT owner, sum(max((?2 - coalesce(attempt_time, ?2)) / 1e6,
                        coalesce(estimated_seconds, 0))), count(*)
  FROM job WHERE state IN ('RUNNING', 'CANCELLING') GROUP BY owner
),
first(id) AS (
  SELECT (
    SELECT id FROM job q INDEXED BY job_queue
    WHERE state = 'QUEUED' AND q.owner = queue_length.owner
    AND q.priority = p.value
    AND id NOT IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (
      SELECT 1 FROM job alike WHERE alike.request_key = q.request_key
      AND alike.state IN ('RUNNING', 'CANCELLING'))
    AND (?6 IS NULL OR q.memory_bytes IS NULL OR q.memory_bytes <= ?6
      OR (q.memory_bytes <= ?7 AND q.estimated_seconds <= ?8))
    ORDER BY id LIMIT 1)
  FROM queue_length, json_each('[0, 1, 2]') p WHERE jobs > 0
)
SELECT job.id FROM first JOIN job USING(id)
LEFT JOIN share ON share.owner = job.owner
LEFT JOIN held ON held.owner = job.owner
WHERE ?5 = 0 OR coalesce(held.count, 0) < ?5
ORDER BY max(job.priority, abs(?4 - job.create_time) >= ?9) DESC,
  (coalesce(share.seconds, 0) * ?3 + coalesce(held.seconds, 0))
    / coalesce(share.weight, 1),
  coalesce(held.count, 0), job.id
LIMIT 1)sql";

}  // namespace

absl::StatusOr<std::optional<JobRow>> JobQueue::NextQueued(
    const std::vector<int64_t>& passed_over, const std::optional<Room>& room) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::optional<JobRow>> {
        const absl::Time now = clock_();
        const Room limits = room.value_or(Room{});
        const auto id = QueryInteger(
            db, kNextQueued,
            absl::StrCat("[", absl::StrJoin(passed_over, ","), "]"),
            absl::ToUnixMicros(now), StoredUsageLeft(db, now),
            absl::ToUnixMicros(wall_()), limits_.running_jobs_per_user,
            room ? std::optional(room->bytes) : std::nullopt,
            limits.brief_bytes, limits.brief_seconds,
            absl::ToInt64Microseconds(kLowPatience));
        if (!id) return std::nullopt;
        MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectJob(db, *id));
        return row;
      });
}

absl::StatusOr<QueueSnapshot> JobQueue::Snapshot() {
  return database_->Read([&](Connection& db) -> absl::StatusOr<QueueSnapshot> {
    QueueSnapshot snapshot = TakeSnapshot(db, clock_(), wall_());
    snapshot.jobs_per_user = limits_.running_jobs_per_user;
    return snapshot;
  });
}

absl::StatusOr<QueueDepth> JobQueue::Depth() {
  return database_->Read([](Connection& db) -> absl::StatusOr<QueueDepth> {
    QueueDepth depth;
    for (const JobState state : kJobStates) {
      depth.jobs[state] =
          QueryInteger(db, "SELECT COUNT(*) FROM job WHERE state = ?1",
                       std::string(NameOf(state)))
              .value_or(0);
    }
    const auto oldest =
        QueryInteger(db,
                     "SELECT create_time FROM job WHERE state = 'QUEUED' "
                     "ORDER BY id LIMIT 1");
    if (oldest) depth.oldest_queued = absl::FromUnixMicros(*oldest);
    return depth;
  });
}

absl::StatusOr<std::vector<JobRow>> JobQueue::QueuedLike(
    const std::string& request_key) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<JobRow>> {
        std::vector<JobRow> rows;
        for (const int64_t id :
             SelectIds(Query(db,
                             "SELECT id FROM job WHERE request_key = ?1 AND "
                             "state = 'QUEUED' ORDER BY id",
                             request_key))) {
          MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectJob(db, id));
          rows.push_back(std::move(row));
        }
        return rows;
      });
}

absl::StatusOr<std::vector<NeededGroup>> JobQueue::MissingGroups(int64_t job) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<NeededGroup>> {
        Statement query =
            Query(db,
                  "SELECT part, layer, probe FROM job_group WHERE job = ?1 AND "
                  "entry IS NULL ORDER BY part, layer, probe",
                  job);
        std::vector<NeededGroup> groups;
        while (query.executeStep()) {
          groups.push_back({.part = query.getColumn(0).getInt(),
                            .layer = query.getColumn(1).getInt64(),
                            .probe = query.getColumn(2).getString(),
                            .key = ""});
        }
        return groups;
      });
}

absl::StatusOr<std::vector<NeededGroup>> JobQueue::NotCached(
    const std::vector<NeededGroup>& groups) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<NeededGroup>> {
        std::vector<NeededGroup> missing;
        for (const NeededGroup& group : groups) {
          const bool cached =
              QueryInteger(db, "SELECT 1 FROM cache_entry WHERE key = ?1",
                           group.key)
                  .has_value();
          if (!cached) missing.push_back(group);
        }
        return missing;
      });
}

absl::StatusOr<bool> JobQueue::AnswerFromCache(
    int64_t job, const std::vector<NeededGroup>& groups,
    const std::map<int, std::string>& provenance) {
  struct Answer {
    bool is_complete = false;
    bool is_news = false;
  };
  MOEPROBE_ASSIGN_OR_RETURN(
      const Answer answer,
      database_->Write([&](Connection& db) -> absl::StatusOr<Answer> {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, job));
        if (row.state != JobState::kQueued) return Answer{};
        const absl::Time now = wall_();
        const bool noted = NoteProvenance(db, job, provenance);
        const bool attached = AttachCachedGroups(db, job, groups, now);
        const bool is_complete = HasAllGroups(db, job);
        if (is_complete) Succeed(db, job, now);
        return Answer{.is_complete = is_complete,
                      .is_news = noted || attached || is_complete};
      }));
  if (answer.is_news) listener_(job);
  return answer.is_complete;
}

absl::StatusOr<AttemptId> JobQueue::Start(int64_t job, int64_t worker,
                                          const JobNeeds& needs) {
  auto started =
      database_->Write([&](Connection& db) -> absl::StatusOr<AttemptId> {
        const int changed = Execute(
            db,
            "UPDATE job SET state = 'RUNNING', attempt = attempt + 1, "
            "worker = ?2, change_time = ?3, phase = '', fraction = 0, "
            "start_time = coalesce(start_time, ?3), attempt_time = ?4, "
            "heard_time = NULL, estimated_seconds = ?5, memory_bytes = ?6 "
            "WHERE id = ?1 AND state = 'QUEUED'",
            job, worker, absl::ToUnixMicros(wall_()),
            absl::ToUnixMicros(clock_()), needs.seconds, needs.memory_bytes);
        if (changed != 1) {
          return absl::AbortedError(
              absl::StrCat("job ", job, " is not queued"));
        }
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, job));
        return AttemptId{.job = job, .attempt = row.attempt};
      });
  if (started.ok()) listener_(job);
  return started;
}

absl::Status JobQueue::NoteNeeds(int64_t job, const JobNeeds& needs) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db,
            "UPDATE job SET estimated_seconds = ?2, memory_bytes = ?3 "
            "WHERE state = 'QUEUED' AND id = ?1",
            job, needs.seconds, needs.memory_bytes);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<LargestJob>> JobQueue::Largest() {
  using Found = std::optional<LargestJob>;
  return database_->Read([](Connection& db) -> absl::StatusOr<Found> {
    Statement query = Query(
        db,
        "SELECT id, memory_bytes FROM job INDEXED BY job_queue WHERE state = "
        "'QUEUED' AND memory_bytes IS NOT NULL ORDER BY memory_bytes DESC "
        "LIMIT 1");
    if (!query.executeStep()) return std::nullopt;
    return LargestJob{.job = query.getColumn(0).getInt64(),
                      .bytes = query.getColumn(1).getInt64()};
  });
}

absl::Status JobQueue::FailQueued(int64_t job, const JobFailure& failure) {
  const absl::Status status =
      database_->Write([&](Connection& db) -> absl::Status {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, job));
        if (row.state != JobState::kQueued) return absl::OkStatus();
        ChangeState(db, job, {.state = JobState::kFailed, .failure = failure},
                    wall_());
        return absl::OkStatus();
      });
  if (status.ok()) listener_(job);
  return status;
}

}  // namespace moeprobe
