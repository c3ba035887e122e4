#include "storage/job_store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_rows.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// Returns the job that an earlier submission with the same id made, if any.
absl::StatusOr<std::optional<int64_t>> EarlierJob(SQLite::Database& database,
                                                  const std::string& request_id,
                                                  const std::string& digest) {
  if (request_id.empty()) return std::nullopt;
  SQLite::Statement query = Query(
      database, "SELECT id, request_digest FROM job WHERE request_id = ?1",
      request_id);
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

int64_t InsertJob(SQLite::Database& database, const NewJob& job) {
  const auto request_id =
      job.request_id.empty() ? std::nullopt : std::optional(job.request_id);
  const auto digest =
      request_id ? std::optional(job.request_digest) : std::nullopt;
  Execute(database,
          "INSERT INTO job(state, spec, request_key, request_id, "
          "request_digest, layer_count, create_time, change_time, kind) "
          "VALUES('QUEUED', ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
          Blob{job.spec}, job.request_key, request_id, digest, LayerCount(job),
          Now(), NameOf(job.kind));
  return database.getLastInsertRowid();
}

void InsertNeeds(SQLite::Database& database, int64_t id, const NewJob& job) {
  int part = 0;
  Repeated insert_part(database,
                       "INSERT INTO job_part(job, part, prefix, provenance) "
                       "VALUES(?1, ?2, ?3, ?4)");
  for (const NewJobPart& entry : job.parts) {
    const auto provenance = entry.provenance
                                ? std::optional(Blob{*entry.provenance})
                                : std::nullopt;
    insert_part(id, part++, entry.prefix, provenance);
  }
  Repeated insert_group(database,
                        "INSERT INTO job_group(job, part, layer, probe) "
                        "VALUES(?1, ?2, ?3, ?4)");
  for (const NeededGroup& group : job.groups) {
    insert_group(id, group.part, group.layer, group.probe);
  }
}

JobEventRow ReadEvent(const SQLite::Statement& query) {
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

absl::StatusOr<int64_t> JobStore::Create(const NewJob& job) {
  const auto created =
      database_->Write([&](SQLite::Database& db) -> absl::StatusOr<int64_t> {
        MOEPROBE_ASSIGN_OR_RETURN(
            const auto earlier,
            EarlierJob(db, job.request_id, job.request_digest));
        if (earlier) return *earlier;
        const int64_t id = InsertJob(db, job);
        InsertNeeds(db, id, job);
        AddWarnings(db, id, job.warnings);
        AttachCachedGroups(db, id, job.groups);
        if (HasAllGroups(db, id)) Succeed(db, id);
        return id;
      });
  if (created.ok()) listener_(*created);
  return created;
}

absl::StatusOr<std::optional<int64_t>> JobStore::FindRequest(
    const std::string& request_id, const std::string& digest) {
  return database_->Read(
      [&](SQLite::Database& db) { return EarlierJob(db, request_id, digest); });
}

absl::StatusOr<JobRow> JobStore::Get(int64_t id) {
  return database_->Read(
      [&](SQLite::Database& db) { return SelectJob(db, id); });
}

absl::StatusOr<std::vector<JobRow>> JobStore::List(int64_t before, int limit) {
  return database_->Read(
      [&](SQLite::Database& db) -> absl::StatusOr<std::vector<JobRow>> {
        SQLite::Statement query = Query(
            db, "SELECT id FROM job WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
            before, limit);
        std::vector<JobRow> rows;
        while (query.executeStep()) {
          MOEPROBE_ASSIGN_OR_RETURN(
              JobRow row, SelectJob(db, query.getColumn(0).getInt64()));
          rows.push_back(std::move(row));
        }
        return rows;
      });
}

absl::StatusOr<std::vector<JobEventRow>> JobStore::EventsAfter(int64_t id,
                                                               int64_t sequence,
                                                               int limit) {
  return database_->Read(
      [&](SQLite::Database& db) -> absl::StatusOr<std::vector<JobEventRow>> {
        if (!QueryInteger(db, "SELECT 1 FROM job WHERE id = ?1", id)) {
          return absl::NotFoundError(absl::StrCat("there is no job ", id));
        }
        SQLite::Statement query =
            Query(db,
                  "SELECT sequence, time, kind, text, fraction, layers_done, "
                  "error_code, error_message FROM event WHERE job = ?1 AND "
                  "sequence > ?2 ORDER BY sequence LIMIT ?3",
                  id, sequence, limit);
        std::vector<JobEventRow> rows;
        while (query.executeStep()) rows.push_back(ReadEvent(query));
        return rows;
      });
}

absl::Status JobStore::Cancel(int64_t id) {
  const absl::Status status =
      database_->Write([&](SQLite::Database& db) -> absl::Status {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, id));
        if (row.state == JobState::kRunning) {
          ChangeState(db, id, {.state = JobState::kCancelling});
        } else if (row.state == JobState::kQueued) {
          ChangeState(db, id,
                      Cancellation("cancelled before a worker took it"));
        }
        return absl::OkStatus();
      });
  if (status.ok()) listener_(id);
  return status;
}

absl::Status JobStore::Remove(int64_t id) {
  const absl::Status status =
      database_->Write([&](SQLite::Database& db) -> absl::Status {
        MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, SelectJob(db, id));
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

}  // namespace moeprobe
