#include "storage/job_store.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "storage/access.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_rows.h"
#include "storage/limits.h"
#include "storage/queue_limit.h"
#include "storage/statement.h"
#include "storage/stored_rows.h"

namespace moeprobe {
namespace {

// Statements take the viewer as ?1, whether they are an admin, and ?2, their
// name.
constexpr const char* kVisible = R"sql(
WITH visible AS (
  SELECT id FROM job WHERE ?1 OR NOT private OR owner = ?2 OR EXISTS (
    SELECT 1 FROM job_reader r WHERE r.job = job.id AND r.name = ?2))
)sql";
constexpr const char* kPage =
    "SELECT id FROM visible WHERE id < ?3 ORDER BY id DESC LIMIT ?4";
constexpr const char* kHasRun =
    "SELECT 1 FROM job_run JOIN visible ON id = job WHERE run = ?3 LIMIT 1";

template <typename... Arguments>
Statement QueryVisible(Connection& database, const Viewer& viewer,
                       const char* which, const Arguments&... arguments) {
  return Query(database, absl::StrCat(kVisible, which).c_str(),
               static_cast<int>(viewer.is_admin), viewer.name, arguments...);
}

// Ids of requests are those of one user.
std::string StoredRequestId(const std::string& owner,
                            const std::string& request_id) {
  return absl::StrCat(owner, "/", request_id);
}

// Returns the job that an earlier submission with the same id made, if any.
absl::StatusOr<std::optional<int64_t>> EarlierJob(Connection& database,
                                                  const std::string& owner,
                                                  const std::string& request_id,
                                                  const std::string& digest) {
  if (request_id.empty()) return std::nullopt;
  Statement query = Query(
      database, "SELECT id, request_digest FROM job WHERE request_id = ?1",
      StoredRequestId(owner, request_id));
  if (!query.executeStep()) return std::nullopt;
  const int64_t id = query.getColumn(0).getInt64();
  if (query.getColumn(1).getString() != digest) {
    return absl::AlreadyExistsError(absl::StrCat("request_id ", request_id,
                                                 ": used for job ", id,
                                                 " with another request"));
  }
  return id;
}

int64_t LayerCount(const NewJob& job) {
  std::set<std::pair<int, int64_t>> layers;
  for (const NeededGroup& group : job.groups) {
    if (group.layer >= 0) layers.emplace(group.part, group.layer);
  }
  return static_cast<int64_t>(layers.size());
}

int64_t InsertJob(Connection& database, const NewJob& job, absl::Time now) {
  const auto request_id =
      job.request_id.empty()
          ? std::nullopt
          : std::optional(StoredRequestId(job.access.owner, job.request_id));
  const auto digest =
      request_id ? std::optional(job.request_digest) : std::nullopt;
  Execute(database,
          "INSERT INTO job(state, spec, request_key, request_id, "
          "request_digest, layer_count, create_time, change_time, kind, "
          "owner, private, priority, estimated_seconds, memory_bytes) "
          "VALUES('QUEUED', ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11, "
          "?12)",
          Blob{job.spec}, job.request_key, request_id, digest, LayerCount(job),
          absl::ToUnixMicros(now), NameOf(job.kind), job.access.owner,
          static_cast<int>(job.access.is_private),
          static_cast<int>(job.priority), job.needs.seconds,
          job.needs.memory_bytes);
  const int64_t id = database.getLastInsertRowid();
  for (const std::string& reader : job.access.readers) {
    Execute(database, "INSERT INTO job_reader(job, name) VALUES(?1, ?2)", id,
            reader);
  }
  return id;
}

absl::StatusOr<JobRow> SelectVisible(Connection& database, const Viewer& viewer,
                                     int64_t id) {
  MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectJob(database, id));
  if (MayRead(viewer, row.access)) return row;
  return NoSuchJob(id);
}

// `what`: "cancel", "delete", "keep".
absl::StatusOr<JobRow> SelectToChange(Connection& database,
                                      const Viewer& viewer, int64_t id,
                                      const char* what) {
  MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectVisible(database, viewer, id));
  if (MayChange(viewer, row.access)) return row;
  return absl::PermissionDeniedError(
      absl::StrCat("job ", id, " is ", row.access.owner, "'s: they and admins ",
                   "alone may ", what, " it"));
}

// A list in JSON. Names of groups are the program's own: nothing in them needs
// an escape.
std::string ListOfProbes(std::span<const NeededGroup> groups) {
  const auto name = [](std::string* list, const NeededGroup& group) {
    absl::StrAppend(list, "\"", group.probe, "\"");
  };
  return absl::StrCat("[", absl::StrJoin(groups, ",", name), "]");
}

// A statement for each layer of a part takes a third of the time that one for
// each group does, of which there are dozens in a layer.
void InsertGroups(Connection& database, int64_t id,
                  std::span<const NeededGroup> groups) {
  while (!groups.empty()) {
    const NeededGroup& first = groups.front();
    const auto next = std::ranges::find_if(groups, [&](const auto& group) {
      return group.part != first.part || group.layer != first.layer;
    });
    Execute(database,
            "INSERT INTO job_group(job, part, layer, probe) "
            "SELECT ?1, ?2, ?3, value FROM json_each(?4)",
            id, first.part, first.layer, ListOfProbes({groups.begin(), next}));
    groups = {next, groups.end()};
  }
}

void InsertNeeds(Connection& database, int64_t id, const NewJob& job) {
  int part = 0;
  for (const NewJobPart& entry : job.parts) {
    const auto provenance = entry.provenance
                                ? std::optional(Blob{*entry.provenance})
                                : std::nullopt;
    Execute(database,
            "INSERT INTO job_part(job, part, prefix, provenance) "
            "VALUES(?1, ?2, ?3, ?4)",
            id, part++, entry.prefix, provenance);
  }
  InsertGroups(database, id, job.groups);
  InsertRuns(database, id, job.runs);
}

// Whether so many are more than a limit, of which 0 is none.
bool IsOver(int64_t limit, int64_t count) { return limit > 0 && count > limit; }

// With a job of `owner` that has just been queued.
absl::Status CheckQueue(Connection& database, const std::string& owner,
                        const Limits& limits) {
  const int64_t own =
      QueryInteger(database, "SELECT jobs FROM queue_length WHERE owner = ?1",
                   owner)
          .value_or(0);
  if (IsOver(limits.queued_jobs_per_user, own)) {
    return QueueIsFull(
        QueueLimit::kOfOwner,
        absl::StrCat(owner, " has ", own - 1, " queued jobs, of at most ",
                     limits.queued_jobs_per_user,
                     " of one user (--max-queued-per-user); wait until a "
                     "worker has taken one, or cancel some"));
  }
  const int64_t all =
      QueryInteger(database, "SELECT sum(jobs) FROM queue_length").value_or(0);
  if (IsOver(limits.queued_jobs, all)) {
    return QueueIsFull(
        QueueLimit::kOfAll,
        absl::StrCat("there are ", all - 1, " queued jobs, of at most ",
                     limits.queued_jobs,
                     " (--max-queued); wait until a worker has taken one"));
  }
  return absl::OkStatus();
}

constexpr const char* kMakeRoom =
    "; delete jobs, or ask an admin to drop old results (--keep-results)";

// Before more is computed for `owner`.
absl::Status CheckStored(Connection& database, const std::string& owner,
                         const Limits& limits) {
  const int64_t own = StoredBytesOf(database, owner);
  if (IsOver(limits.stored_bytes_per_user, own + 1)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the results of ", owner, " take ", own,
                     " bytes, of at most ", limits.stored_bytes_per_user,
                     " of one user (--max-stored-bytes-per-user)", kMakeRoom));
  }
  const int64_t all = StoredBytes(database);
  if (IsOver(limits.stored_bytes, all + 1)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("results take ", all, " bytes, of at most ",
                     limits.stored_bytes, " (--max-stored-bytes)", kMakeRoom));
  }
  return absl::OkStatus();
}

// Adds a job that no earlier request made.
absl::StatusOr<CreatedJob> Add(Connection& database, const NewJob& job,
                               const Limits& limits, absl::Time now) {
  const int64_t id = InsertJob(database, job, now);
  InsertNeeds(database, id, job);
  AddWarnings(database, id, job.warnings, now);
  AttachCachedGroups(database, id, job.groups, now);
  if (HasAllGroups(database, id)) {
    Succeed(database, id, now);
  } else {
    const std::string& owner = job.access.owner;
    MOEPROBE_RETURN_IF_ERROR(CheckQueue(database, owner, limits));
    MOEPROBE_RETURN_IF_ERROR(CheckStored(database, owner, limits));
  }
  MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectJob(database, id));
  return CreatedJob{.job = std::move(row), .is_new = true};
}

// Whether the results of a job can be kept.
absl::Status CheckKeepable(Connection& database, const JobRow& row,
                           const Limits& limits) {
  if (row.dropped) return ResultsDropped(row.id, *row.dropped);
  const int64_t own = StoredBytesOf(database, row.access.owner);
  if (!IsOver(limits.stored_bytes_per_user, own)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the results of ", row.access.owner, " take ", own,
      " bytes, more than the ", limits.stored_bytes_per_user,
      " of one user (--max-stored-bytes-per-user): delete jobs first"));
}

JobEventRow ReadEvent(const Statement& query) {
  JobEventRow row;
  row.sequence = query.getColumn(0).getInt64();
  row.time = absl::FromUnixMicros(query.getColumn(1).getInt64());
  const std::string kind = query.getColumn(2).getString();
  row.text = query.getColumn(3).getString();
  row.fraction = query.getColumn(4).getDouble();
  row.layers_done = query.getColumn(5).getInt();
  if (kind == "state") {
    row.state = StateOf(row.text);
  } else if (kind == "progress") {
    row.kind = JobEventRow::Kind::kProgress;
  } else {
    row.kind = kind == "layer" ? JobEventRow::Kind::kLayer
                               : JobEventRow::Kind::kWarning;
  }
  if (!query.getColumn(6).isNull()) {
    row.failure = JobFailure{.code = query.getColumn(6).getInt(),
                             .message = query.getColumn(7).getString()};
  }
  return row;
}

}  // namespace

absl::Status JobStore::Adopt(const std::string& owner) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db,
            "UPDATE job SET owner = ?1, request_id = ?1 || '/' || request_id "
            "WHERE owner = ''",
            owner);
    return absl::OkStatus();
  });
}

absl::StatusOr<CreatedJob> JobStore::Create(const NewJob& job) {
  const auto created =
      database_->Write([&](Connection& db) -> absl::StatusOr<CreatedJob> {
        MOEPROBE_ASSIGN_OR_RETURN(
            const auto earlier, EarlierJob(db, job.access.owner, job.request_id,
                                           job.request_digest));
        if (!earlier) return Add(db, job, limits_, clock_());
        MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectJob(db, *earlier));
        return CreatedJob{.job = std::move(row)};
      });
  if (created.ok()) listener_(created->job.id);
  return created;
}

absl::StatusOr<std::optional<int64_t>> JobStore::FindRequest(
    const std::string& owner, const std::string& request_id,
    const std::string& digest) {
  return database_->Read([&](Connection& db) {
    return EarlierJob(db, owner, request_id, digest);
  });
}

absl::StatusOr<JobRow> JobStore::Get(const Viewer& viewer, int64_t id) {
  return database_->Read(
      [&](Connection& db) { return SelectVisible(db, viewer, id); });
}

absl::StatusOr<std::vector<JobRow>> JobStore::List(const Viewer& viewer,
                                                   int64_t before, int limit) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<JobRow>> {
        Statement query = QueryVisible(db, viewer, kPage, before, limit);
        std::vector<JobRow> rows;
        while (query.executeStep()) {
          MOEPROBE_ASSIGN_OR_RETURN(
              JobRow row, SelectJob(db, query.getColumn(0).getInt64()));
          rows.push_back(std::move(row));
        }
        return rows;
      });
}

absl::StatusOr<FollowedJob> JobStore::Follow(const Viewer& viewer, int64_t id,
                                             int64_t sequence, int limit) {
  return database_->Read([&](Connection& db) -> absl::StatusOr<FollowedJob> {
    MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectVisible(db, viewer, id));
    Statement query =
        Query(db,
              "SELECT sequence, time, kind, text, fraction, layers_done, "
              "error_code, error_message FROM event WHERE job = ?1 AND "
              "sequence > ?2 ORDER BY sequence LIMIT ?3",
              id, sequence, limit);
    FollowedJob followed{.job = std::move(row), .events = {}};
    while (query.executeStep()) followed.events.push_back(ReadEvent(query));
    return followed;
  });
}

absl::StatusOr<bool> JobStore::HasRun(const Viewer& viewer,
                                      const std::string& run) {
  return database_->Read([&](Connection& db) -> absl::StatusOr<bool> {
    return QueryVisible(db, viewer, kHasRun, run).executeStep();
  });
}

absl::StatusOr<std::optional<JobState>> JobStore::Cancel(const Viewer& viewer,
                                                         int64_t id) {
  using Change = std::optional<JobState>;
  const auto change =
      database_->Write([&](Connection& db) -> absl::StatusOr<Change> {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row,
                                  SelectToChange(db, viewer, id, "cancel"));
        if (row.state == JobState::kRunning) {
          ChangeState(db, id, {.state = JobState::kCancelling}, clock_());
          return JobState::kCancelling;
        }
        if (row.state == JobState::kQueued) {
          ChangeState(db, id, Cancellation("cancelled before a worker took it"),
                      clock_());
          return JobState::kCancelled;
        }
        return std::nullopt;
      });
  if (change.ok()) listener_(id);
  return change;
}

absl::Status JobStore::Remove(const Viewer& viewer, int64_t id) {
  const absl::Status status =
      database_->Write([&](Connection& db) -> absl::Status {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row,
                                  SelectToChange(db, viewer, id, "delete"));
        if (!IsFinal(row.state)) {
          return absl::FailedPreconditionError(
              absl::StrCat("job ", id, " is ", NameOf(row.state),
                           ", expected a final "
                           "state: cancel it first"));
        }
        Execute(db, "DELETE FROM job WHERE id = ?1", id);
        return absl::OkStatus();
      });
  if (status.ok()) listener_(id);
  return status;
}

absl::Status JobStore::SetKept(const Viewer& viewer, int64_t id, bool is_kept) {
  return database_->Write([&](Connection& db) -> absl::Status {
    MOEPROBE_ASSIGN_OR_RETURN(const JobRow row,
                              SelectToChange(db, viewer, id, "keep"));
    if (is_kept) MOEPROBE_RETURN_IF_ERROR(CheckKeepable(db, row, limits_));
    Execute(db, "UPDATE job SET kept = ?2 WHERE id = ?1", id,
            static_cast<int>(is_kept));
    return absl::OkStatus();
  });
}

}  // namespace moeprobe
