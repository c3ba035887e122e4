#include "storage/dataset_store.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "storage/access.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/limits.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// Statements take the viewer as ?1, whether they are an admin, and ?2, their
// name. Rows are in the order that ReadDataset takes.
constexpr const char* kVisible = R"sql(
WITH visible AS (
  SELECT id, sha256, kind, display_name, size_bytes, create_time, owner,
    private, owner = ?2 AS own
  FROM dataset d WHERE ?1 OR NOT private OR owner = ?2 OR EXISTS (
    SELECT 1 FROM dataset_reader r WHERE r.dataset = d.id AND r.name = ?2))
SELECT * FROM visible v WHERE )sql";

constexpr const char* kByDigest = "sha256 = ?3 ORDER BY own DESC, id LIMIT 1";
constexpr const char* kByName =
    "display_name = ?3 ORDER BY own DESC, id DESC LIMIT 1";
constexpr const char* kPage = R"sql(
id < ?3 AND NOT EXISTS (
  SELECT 1 FROM visible w WHERE w.sha256 = v.sha256 AND (
    w.own > v.own OR (w.own = v.own AND w.id < v.id)))
ORDER BY id DESC LIMIT ?4)sql";

template <typename... Arguments>
Statement SelectVisible(Connection& database, const Viewer& viewer,
                        const char* which, const Arguments&... arguments) {
  return Query(database, absl::StrCat(kVisible, which).c_str(),
               static_cast<int>(viewer.is_admin), viewer.name, arguments...);
}

DatasetRow ReadDataset(Connection& database, const Statement& query) {
  DatasetRow row{
      .id = query.getColumn(0).getInt64(),
      .access = {.owner = query.getColumn(6).getString(),
                 .is_private = query.getColumn(7).getInt() != 0},
      .sha256 = query.getColumn(1).getString(),
      .is_text = query.getColumn(2).getString() == "text",
      .display_name = query.getColumn(3).getString(),
      .size_bytes = query.getColumn(4).getInt64(),
      .create_time = absl::FromUnixMicros(query.getColumn(5).getInt64())};
  if (row.access.is_private) {
    row.access.readers = SelectTexts(Query(
        database,
        "SELECT name FROM dataset_reader WHERE dataset = ?1 ORDER BY name",
        row.id));
  }
  return row;
}

absl::StatusOr<DatasetRow> SelectOne(Database& database, const Viewer& viewer,
                                     const char* which,
                                     const std::string& argument) {
  return database.Read([&](Connection& db) -> absl::StatusOr<DatasetRow> {
    Statement query = SelectVisible(db, viewer, which, argument);
    if (query.executeStep()) return ReadDataset(db, query);
    return absl::NotFoundError(
        absl::StrCat("there is no data set ", Quoted(argument)));
  });
}

// Returns the id of the row.
int64_t Upsert(Connection& database, const DatasetRow& row, absl::Time now) {
  Statement upsert = Query(
      database,
      "INSERT INTO dataset(sha256, owner, private, kind, display_name, "
      "size_bytes, create_time) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
      "ON CONFLICT(sha256, owner) DO UPDATE SET "
      "display_name = excluded.display_name, private = excluded.private "
      "RETURNING id",
      row.sha256, row.access.owner, static_cast<int>(row.access.is_private),
      row.is_text ? "text" : "ids", row.display_name, row.size_bytes,
      absl::ToUnixMicros(now));
  upsert.executeStep();
  return upsert.getColumn(0).getInt64();
}

// Bytes of the data sets but for one: in all, and of an owner.
constexpr const char* kBytes =
    "SELECT sum(size_bytes) FROM dataset WHERE NOT (sha256 = ?1 AND "
    "owner = ?2)";
constexpr const char* kBytesOfOwner =
    "SELECT sum(size_bytes) FROM dataset WHERE sha256 <> ?1 AND owner = ?2";

absl::Status CheckBytes(const DatasetRow& row, int64_t held, int64_t limit,
                        const std::string& whose, const char* option) {
  if (limit == 0 || held + row.size_bytes <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      Quoted(row.display_name), ": ", row.size_bytes, " bytes, ", whose, " ",
      held, " bytes, of at most ", limit, " (", option,
      "); waiting makes no room: ask an admin for a larger limit"));
}

absl::Status CheckLimits(Connection& database, const DatasetRow& row,
                         const Limits& limits) {
  const auto held = [&](const char* sql) {
    return QueryInteger(database, sql, row.sha256, row.access.owner)
        .value_or(0);
  };
  MOEPROBE_RETURN_IF_ERROR(
      CheckBytes(row, held(kBytesOfOwner), limits.dataset_bytes_per_user,
                 absl::StrCat("and ", row.access.owner, " has"),
                 "--max-dataset-bytes-per-user"));
  return CheckBytes(row, held(kBytes), limits.dataset_bytes, "and there are",
                    "--max-dataset-bytes");
}

}  // namespace

absl::Status DatasetStore::Adopt(const std::string& owner) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, "UPDATE dataset SET owner = ?1 WHERE owner = ''", owner);
    return absl::OkStatus();
  });
}

absl::Status DatasetStore::Add(const DatasetRow& row) {
  return database_->Write([&](Connection& db) -> absl::Status {
    MOEPROBE_RETURN_IF_ERROR(CheckLimits(db, row, limits_));
    const int64_t id = Upsert(db, row, clock_());
    Execute(db, "DELETE FROM dataset_reader WHERE dataset = ?1", id);
    for (const std::string& reader : row.access.readers) {
      Execute(db, "INSERT INTO dataset_reader(dataset, name) VALUES(?1, ?2)",
              id, reader);
    }
    return absl::OkStatus();
  });
}

absl::Status DatasetStore::CheckRoom(const DatasetRow& row) {
  return database_->Read(
      [&](Connection& db) { return CheckLimits(db, row, limits_); });
}

absl::StatusOr<DatasetRow> DatasetStore::Get(const Viewer& viewer,
                                             const std::string& sha256) {
  return SelectOne(*database_, viewer, kByDigest, sha256);
}

absl::StatusOr<DatasetRow> DatasetStore::GetByDisplayName(
    const Viewer& viewer, const std::string& name) {
  return SelectOne(*database_, viewer, kByName, name);
}

absl::StatusOr<std::vector<DatasetRow>> DatasetStore::List(const Viewer& viewer,
                                                           int64_t before,
                                                           int limit) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<DatasetRow>> {
        Statement query = SelectVisible(db, viewer, kPage, before, limit);
        std::vector<DatasetRow> rows;
        while (query.executeStep()) rows.push_back(ReadDataset(db, query));
        return rows;
      });
}

}  // namespace moeprobe
