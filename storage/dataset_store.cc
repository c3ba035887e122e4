#include "storage/dataset_store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/quoted.h"
#include "storage/database.h"
#include "storage/job_rows.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// In the order that ReadDataset takes.
constexpr const char* kByDigest =
    "SELECT id, sha256, kind, display_name, size_bytes, create_time "
    "FROM dataset WHERE sha256 = ?1";
constexpr const char* kByName =
    "SELECT id, sha256, kind, display_name, size_bytes, create_time "
    "FROM dataset WHERE display_name = ?1 ORDER BY id DESC LIMIT 1";
constexpr const char* kPage =
    "SELECT id, sha256, kind, display_name, size_bytes, create_time "
    "FROM dataset WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

DatasetRow ReadDataset(const SQLite::Statement& query) {
  return {.id = query.getColumn(0).getInt64(),
          .sha256 = query.getColumn(1).getString(),
          .is_text = query.getColumn(2).getString() == "text",
          .display_name = query.getColumn(3).getString(),
          .size_bytes = query.getColumn(4).getInt64(),
          .create_time = absl::FromUnixMicros(query.getColumn(5).getInt64())};
}

absl::StatusOr<DatasetRow> SelectOne(Database& database, const char* sql,
                                     const std::string& argument) {
  return database.Read([&](SQLite::Database& db) -> absl::StatusOr<DatasetRow> {
    SQLite::Statement query = Query(db, sql, argument);
    if (query.executeStep()) return ReadDataset(query);
    return absl::NotFoundError(
        absl::StrCat("there is no data set ", Quoted(argument)));
  });
}

}  // namespace

absl::Status DatasetStore::Add(const DatasetRow& row) {
  return database_->Write([&](SQLite::Database& db) -> absl::Status {
    Execute(db,
            "INSERT INTO dataset(sha256, kind, display_name, size_bytes, "
            "create_time) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(sha256) "
            "DO UPDATE SET display_name = excluded.display_name",
            row.sha256, row.is_text ? "text" : "ids", row.display_name,
            row.size_bytes, Now());
    return absl::OkStatus();
  });
}

absl::StatusOr<DatasetRow> DatasetStore::Get(const std::string& sha256) {
  return SelectOne(*database_, kByDigest, sha256);
}

absl::StatusOr<DatasetRow> DatasetStore::GetByDisplayName(
    const std::string& name) {
  return SelectOne(*database_, kByName, name);
}

absl::StatusOr<std::vector<DatasetRow>> DatasetStore::List(int64_t before,
                                                           int limit) {
  return database_->Read(
      [&](SQLite::Database& db) -> absl::StatusOr<std::vector<DatasetRow>> {
        SQLite::Statement query = Query(db, kPage, before, limit);
        std::vector<DatasetRow> rows;
        while (query.executeStep()) rows.push_back(ReadDataset(query));
        return rows;
      });
}

}  // namespace moeprobe
