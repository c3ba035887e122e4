#include "storage/doctor.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/directory_entries.h"
#include "core/base/disk_error.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "storage/blob_references.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/integrity.h"
#include "storage/lost_database.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"
#include "storage/stored_rows.h"
#include "storage/unfinished_files.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// The entries of a directory; none where there is no such directory. One that
// cannot be read is a finding.
std::vector<fs::path> EntriesOf(const fs::path& directory,
                                std::vector<Finding>& findings) {
  auto entries = DirectoryEntries(directory);
  if (entries.ok()) return *std::move(entries);
  if (!absl::IsNotFound(entries.status())) {
    findings.push_back(
        {.path = directory,
         .what = absl::StrCat("cannot be read: ", entries.status().message())});
  }
  return {};
}

void AddDamage(Connection& database, const fs::path& file,
               std::vector<Finding>& findings) {
  for (const std::string& what : FindDamage(database)) {
    findings.push_back({.path = file, .what = what});
  }
}

void AddLostBlobs(const std::set<std::string>& references,
                  const fs::path& directory, std::vector<Finding>& findings) {
  for (const std::string& sha256 : references) {
    const fs::path path = directory / sha256;
    const auto found = Sha256OfFile(path);
    if (absl::IsNotFound(found.status())) {
      findings.push_back({.path = path, .what = "is missing"});
    } else if (!found.ok()) {
      findings.push_back(
          {.path = path,
           .what = absl::StrCat("cannot be read: ", found.status().message())});
    } else if (*found != sha256) {
      findings.push_back({.path = path, .what = "is not what it was"});
    }
  }
}

void AddOrphans(const std::set<std::string>& references,
                const fs::path& directory, std::vector<Finding>& findings) {
  for (const fs::path& path : EntriesOf(directory, findings)) {
    if (references.contains(path.filename().string())) continue;
    findings.push_back({.path = path,
                        .what = "belongs to nothing that is stored",
                        .is_garbage = true});
  }
}

// Scratch of jobs that have ended, and files that were never finished.
void AddRemains(Connection& database, const fs::path& data_directory,
                std::vector<Finding>& findings) {
  for (const fs::path& path :
       EntriesOf(DataLayout(data_directory).scratch, findings)) {
    int64_t job = 0;
    const bool open =
        absl::SimpleAtoi(path.filename().string(), &job) &&
        QueryInteger(database,
                     "SELECT 1 FROM job WHERE id = ?1 AND end_time IS NULL",
                     job);
    if (open) continue;
    findings.push_back({.path = path,
                        .what = "is scratch of a job that has ended",
                        .is_garbage = true});
  }
  for (const fs::path& path : UnfinishedFiles(data_directory)) {
    findings.push_back(
        {.path = path, .what = "was never finished", .is_garbage = true});
  }
}

// Models that no job has; none where it is not known which models jobs have.
void AddOrphanRuns(Connection& database, const fs::path& directory,
                   std::vector<Finding>& findings) {
  if (!KnowsRuns(database)) return;
  for (const fs::path& path : EntriesOf(directory, findings)) {
    const bool is_claimed =
        QueryInteger(database, "SELECT 1 FROM job_run WHERE run = ?1 LIMIT 1",
                     path.filename().string())
            .has_value();
    if (is_claimed) continue;
    findings.push_back({.path = path,
                        .what = "is a model that no job has",
                        .is_garbage = true});
  }
}

}  // namespace

absl::StatusOr<std::vector<Finding>> Examine(const fs::path& data_directory) {
  const DataLayout layout(data_directory);
  const fs::path& file = layout.database;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return absl::NotFoundError(absl::StrCat(file.native(), ": not there"));
  }
  MOEPROBE_RETURN_IF_ERROR(CheckNoDatabaseIsLost(layout));
  return CatchSqlErrors([&]() -> absl::StatusOr<std::vector<Finding>> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto database, OpenToWrite(file));
    std::vector<Finding> findings;
    AddDamage(*database, file, findings);
    // What stands for blobs can be trusted only in a good database.
    if (!findings.empty()) return findings;
    for (const std::string& what : FindMiscounts(*database)) {
      findings.push_back({.path = file, .what = what});
    }
    const std::set<std::string> references = BlobReferences(*database);
    AddLostBlobs(references, layout.blobs, findings);
    AddOrphans(references, layout.blobs, findings);
    AddOrphanRuns(*database, layout.trained, findings);
    AddRemains(*database, data_directory, findings);
    return findings;
  });
}

absl::Status RemoveGarbage(const Finding& finding) {
  CrashPoint("garbage-found");
  std::error_code error;
  fs::remove_all(finding.path, error);
  if (error) return DiskError(error.value(), finding.path);
  return absl::OkStatus();
}

}  // namespace moeprobe
