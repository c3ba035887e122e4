#include "storage/stored_rows.h"

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/job.h"
#include "storage/schema.h"
#include "storage/statement.h"

namespace moeprobe {

void InsertRuns(Connection& database, int64_t job,
                const std::vector<std::string>& runs) {
  for (const std::string& run : runs) {
    Execute(database, "INSERT OR IGNORE INTO trained_run(name) VALUES(?1)",
            run);
    Execute(database, "INSERT OR IGNORE INTO job_run(job, run) VALUES(?1, ?2)",
            job, run);
  }
}

bool KnowsRuns(Connection& database) {
  const auto version = QueryInteger(database, "PRAGMA user_version");
  if (version != std::ssize(Migrations())) return false;
  return !QueryInteger(database,
                       "SELECT 1 FROM job WHERE kind = 'train' AND drop_time "
                       "IS NULL AND NOT EXISTS (SELECT 1 FROM job_run WHERE "
                       "job = job.id) LIMIT 1")
              .has_value();
}

int64_t StoredBytes(Connection& database) {
  return QueryInteger(database, "SELECT sum(bytes) FROM stored_bytes")
      .value_or(0);
}

int64_t StoredBytesOf(Connection& database, const std::string& owner) {
  return QueryInteger(database,
                      "SELECT bytes FROM stored_bytes WHERE owner = ?1", owner)
      .value_or(0);
}

absl::Status ResultsDropped(int64_t job, const DroppedResults& dropped) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the results of job ", job, " were dropped at ",
      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", dropped.time,
                       absl::UTCTimeZone()),
      ": ", dropped.reason, "; submit it again to compute them again"));
}

}  // namespace moeprobe
