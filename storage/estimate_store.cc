#include "storage/estimate_store.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// A third for the job that finished last.
constexpr const char* kLearn = R"sql(
INSERT INTO estimate_ratio(kind, ratio) VALUES(?1, ?2)
ON CONFLICT(kind) DO UPDATE SET ratio = (2 * ratio + excluded.ratio) / 3)sql";

}  // namespace

absl::StatusOr<double> EstimateStore::Ratio(const std::string& kind) {
  return database_->Read([&](Connection& db) -> absl::StatusOr<double> {
    Statement query =
        Query(db, "SELECT ratio FROM estimate_ratio WHERE kind = ?1", kind);
    return query.executeStep() ? query.getColumn(0).getDouble() : 1.0;
  });
}

absl::Status EstimateStore::Learn(const std::string& kind, double ratio) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, kLearn, kind, ratio);
    return absl::OkStatus();
  });
}

}  // namespace moeprobe
