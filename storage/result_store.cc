#include "storage/result_store.h"

#include <SQLiteCpp/Column.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "storage/blob_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/matrix_rows.h"
#include "storage/published_layer.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// 144: the head of a .npy and two doubles.
constexpr const char* kArraysOfJob = R"sql(
, g.part, p.prefix, g.layer,
CASE WHEN m.size_bytes <= 144 OR m.name GLOB '*/components' THEN m.npy END
FROM job_group g JOIN job_part p ON p.job = g.job AND p.part = g.part
JOIN matrix m USING(entry)
WHERE g.job = ?1 ORDER BY g.part, g.layer, m.name)sql";

constexpr const char* kProvenanceOfJob = R"sql(
SELECT prefix, coalesce(provenance, x''), coalesce((
  SELECT max(e.environment) FROM job_group g JOIN cache_entry e ON e.id = g.entry
  WHERE g.job = p.job AND g.part = p.part), x'')
FROM job_part p WHERE job = ?1 ORDER BY part)sql";

constexpr const char* kSelectNpy = R"sql(
SELECT m.npy FROM matrix m JOIN job_group g USING(entry)
WHERE g.job = ?1 AND g.part = ?2 AND m.name = ?3)sql";

std::optional<std::string> OptionalBytes(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getString();
}

}  // namespace

absl::StatusOr<std::vector<JobArray>> ResultStore::Arrays(int64_t job) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<JobArray>> {
        const std::string sql =
            absl::StrCat("SELECT ", kArrayColumns, kArraysOfJob);
        Statement query = Query(db, sql.c_str(), job);
        std::vector<JobArray> arrays;
        while (query.executeStep()) {
          arrays.push_back({.part = query.getColumn(9).getInt(),
                            .prefix = query.getColumn(10).getString(),
                            .layer = query.getColumn(11).getInt64(),
                            .array = ReadArray(query),
                            .npy = OptionalBytes(query.getColumn(12))});
        }
        return arrays;
      });
}

absl::StatusOr<std::vector<PartProvenance>> ResultStore::Provenance(
    int64_t job) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<PartProvenance>> {
        Statement query = Query(db, kProvenanceOfJob, job);
        std::vector<PartProvenance> parts;
        while (query.executeStep()) {
          parts.push_back({.prefix = query.getColumn(0).getString(),
                           .provenance = query.getColumn(1).getString(),
                           .environment = query.getColumn(2).getString()});
        }
        return parts;
      });
}

absl::Status ResultStore::ReadNpy(int64_t job, const JobArray& array,
                                  PieceVisit visit) {
  const StoredArray& info = array.array;
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::optional<std::string> npy,
      database_->Read(
          [&](Connection& db) -> absl::StatusOr<std::optional<std::string>> {
            return QueryText(db, kSelectNpy, job, array.part, info.name);
          }));
  if (!npy) return blobs_->ReadInPieces(info.sha256, visit);
  if (Sha256Hex(*npy) != info.sha256) {
    return absl::DataLossError(absl::StrCat("array ", array.prefix, info.name,
                                            ": stored bytes have another "
                                            "SHA-256 than ",
                                            info.sha256));
  }
  return visit(*npy);  // no longer than a piece
}

}  // namespace moeprobe
