#include "storage/retention_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_rows.h"
#include "storage/statement.h"
#include "storage/stored_rows.h"

namespace moeprobe {
namespace {

// Ended by ?1.
constexpr const char* kOldEnough = R"sql(
SELECT id FROM job INDEXED BY job_by_end
WHERE end_time IS NOT NULL AND kept = 0 AND drop_time IS NULL AND end_time <= ?1
ORDER BY end_time, id LIMIT 1)sql";

constexpr const char* kOldestPaying = R"sql(
SELECT id FROM job INDEXED BY job_by_end
WHERE end_time IS NOT NULL AND kept = 0 AND drop_time IS NULL AND end_time <= ?1
AND (EXISTS (SELECT 1 FROM cache_entry WHERE payer = job.id AND size_bytes > 0)
  OR EXISTS (SELECT 1 FROM trained_run WHERE payer = job.id AND size_bytes > 0))
ORDER BY end_time, id LIMIT 1)sql";

constexpr const char* kDroppedThatHolds = R"sql(
SELECT id FROM job INDEXED BY dropped_job WHERE drop_time IS NOT NULL AND (
  EXISTS (SELECT 1 FROM job_group WHERE job = job.id)
  OR EXISTS (SELECT 1 FROM job_run WHERE job = job.id))
LIMIT 1)sql";

constexpr const char* kReleaseGroups = R"sql(
DELETE FROM job_group WHERE job = ?1 AND (part, layer, probe) IN (
  SELECT part, layer, probe FROM job_group WHERE job = ?1
  ORDER BY part, layer, probe LIMIT ?2))sql";

constexpr const char* kUnclaimed = R"sql(
SELECT id, size_bytes FROM cache_entry
WHERE payer IS NULL AND create_time <= ?1 ORDER BY id LIMIT ?2)sql";

// Ids of entries, and their bytes.
std::vector<std::pair<int64_t, int64_t>> SelectUnclaimed(Connection& database,
                                                         absl::Time made,
                                                         int64_t bytes) {
  Statement query = Query(database, kUnclaimed, absl::ToUnixMicros(made),
                          RetentionStore::kStep);
  std::vector<std::pair<int64_t, int64_t>> entries;
  for (int64_t sum = 0; sum < bytes && query.executeStep();) {
    entries.emplace_back(query.getColumn(0).getInt64(),
                         query.getColumn(1).getInt64());
    sum += entries.back().second;
  }
  return entries;
}

// The row of an entry, with its matrices.
void RemoveEntry(Connection& database, int64_t entry, int64_t bytes,
                 RemovedEntries& removed) {
  for (std::string& sha256 :
       SelectTexts(Query(database,
                         "SELECT sha256 FROM matrix WHERE entry = ?1 AND "
                         "npy IS NULL",
                         entry))) {
    removed.blobs.push_back(std::move(sha256));
  }
  Execute(database, "DELETE FROM cache_entry WHERE id = ?1", entry);
  ++removed.count;
  removed.bytes += bytes;
}

}  // namespace

absl::StatusOr<int64_t> RetentionStore::Bytes() {
  return database_->Read([](Connection& db) -> absl::StatusOr<int64_t> {
    return StoredBytes(db);
  });
}

absl::StatusOr<int64_t> RetentionStore::UnclaimedBytes() {
  return database_->Read([](Connection& db) -> absl::StatusOr<int64_t> {
    return StoredBytesOf(db, "");
  });
}

absl::StatusOr<std::optional<int64_t>> RetentionStore::Drop(
    const char* which, absl::Time end, const std::string& reason) {
  auto dropped = database_->Write(
      [&](Connection& db) -> absl::StatusOr<std::optional<int64_t>> {
        const auto job = QueryInteger(db, which, absl::ToUnixMicros(end));
        if (!job) return std::nullopt;
        Execute(db,
                "UPDATE job SET drop_time = ?2, drop_reason = ?3 WHERE id = ?1",
                *job, absl::ToUnixMicros(clock_()), reason);
        CrashPoint("results-marked-not-committed");
        return job;
      });
  if (dropped.ok() && *dropped) listener_(**dropped);
  return dropped;
}

absl::StatusOr<std::optional<int64_t>> RetentionStore::DropEndedBy(
    absl::Time end, const std::string& reason) {
  return Drop(kOldEnough, end, reason);
}

absl::StatusOr<std::optional<int64_t>> RetentionStore::DropOldest(
    const std::string& reason) {
  return Drop(kOldestPaying, absl::InfiniteFuture(), reason);
}

absl::StatusOr<bool> RetentionStore::Release() {
  return database_->Write([](Connection& db) -> absl::StatusOr<bool> {
    const auto job = QueryInteger(db, kDroppedThatHolds);
    if (!job) return false;
    if (Execute(db, kReleaseGroups, *job, kStep) < kStep) {
      Execute(db, "DELETE FROM job_run WHERE job = ?1", *job);
    }
    return true;
  });
}

absl::StatusOr<RemovedEntries> RetentionStore::RemoveUnclaimed(absl::Time made,
                                                               int64_t bytes) {
  return database_->Write(
      [&](Connection& db) -> absl::StatusOr<RemovedEntries> {
        RemovedEntries removed;
        for (const auto& [entry, size_bytes] :
             SelectUnclaimed(db, made, bytes)) {
          RemoveEntry(db, entry, size_bytes, removed);
          CrashPoint("entry-removed-others-there");
        }
        return removed;
      });
}

absl::StatusOr<bool> RetentionStore::HasBlob(const std::string& sha256) {
  return database_->Read([&](Connection& db) -> absl::StatusOr<bool> {
    return QueryInteger(db,
                        "SELECT 1 FROM matrix WHERE npy IS NULL AND sha256 = "
                        "?1 UNION SELECT 1 FROM dataset WHERE sha256 = ?1 "
                        "UNION SELECT 1 FROM tokenization WHERE ids_sha256 = "
                        "?1",
                        sha256)
        .has_value();
  });
}

absl::StatusOr<std::vector<std::string>> RetentionStore::Runs() {
  return database_->Read(
      [](Connection& db) -> absl::StatusOr<std::vector<std::string>> {
        return SelectTexts(Query(db, "SELECT name FROM trained_run"));
      });
}

absl::StatusOr<std::vector<std::string>> RetentionStore::UnclaimedRuns() {
  return database_->Read(
      [](Connection& db) -> absl::StatusOr<std::vector<std::string>> {
        return SelectTexts(
            Query(db, "SELECT name FROM trained_run WHERE payer IS NULL"));
      });
}

absl::Status RetentionStore::SetRunBytes(const std::string& run,
                                         int64_t bytes) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db,
            "UPDATE trained_run SET size_bytes = ?2 WHERE name = ?1 AND "
            "size_bytes <> ?2",
            run, bytes);
    return absl::OkStatus();
  });
}

absl::Status RetentionStore::ForgetRun(const std::string& run) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, "DELETE FROM trained_run WHERE name = ?1 AND payer IS NULL",
            run);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<JobRow>> RetentionStore::JobsWithoutRuns() {
  return database_->Read(
      [](Connection& db) -> absl::StatusOr<std::vector<JobRow>> {
        std::vector<JobRow> rows;
        for (const int64_t id : SelectIds(
                 Query(db,
                       "SELECT id FROM job WHERE kind = 'train' AND drop_time "
                       "IS NULL AND NOT EXISTS (SELECT 1 FROM job_run WHERE "
                       "job = job.id)"))) {
          MOEPROBE_ASSIGN_OR_RETURN(JobRow row, SelectJob(db, id));
          rows.push_back(std::move(row));
        }
        return rows;
      });
}

absl::Status RetentionStore::AddRuns(int64_t job,
                                     const std::vector<std::string>& runs) {
  return database_->Write([&](Connection& db) -> absl::Status {
    MOEPROBE_RETURN_IF_ERROR(SelectJob(db, job).status());
    InsertRuns(db, job, runs);
    return absl::OkStatus();
  });
}

}  // namespace moeprobe
