#include "storage/migration.h"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"
#include "storage/connection.h"
#include "storage/database_copy.h"
#include "storage/log_identity.h"
#include "storage/schema.h"
#include "storage/statement.h"
#include "storage/transaction.h"

namespace moeprobe {
namespace {

absl::Status KeepCopy(const std::filesystem::path& file, size_t version) {
  const std::filesystem::path copy =
      absl::StrCat(file.native(), ".schema", version);
  const std::filesystem::path partial = copy.native() + ".partial";
  std::error_code error;
  std::filesystem::remove(partial, error);  // of a process that died
  if (error) return DiskError(error.value(), partial);
  MOEPROBE_RETURN_IF_ERROR(CopyDatabase(file, partial));
  CrashPoint("migration-copy-not-named");
  if (std::rename(partial.c_str(), copy.c_str()) != 0) {
    return DiskError(errno, copy);
  }
  CrashPoint("migration-copy-named-directory-not-synced");
  return SyncDirectory(file.parent_path());
}

}  // namespace

absl::Status Migrate(Connection& database, const std::filesystem::path& file) {
  const auto version = static_cast<size_t>(
      QueryInteger(database, "PRAGMA user_version").value_or(0));
  const auto migrations = Migrations();
  if (version == migrations.size()) return absl::OkStatus();
  if (version > 0) MOEPROBE_RETURN_IF_ERROR(KeepCopy(file, version));
  CrashPoint("migration-due");
  Transaction transaction(database, Transaction::Kind::kWrite);
  for (const char* step : migrations.subspan(version)) {
    CrashPoint("migration-between-steps");
    database.exec(step);
  }
  database.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                             "; PRAGMA user_version = ", migrations.size()));
  MOEPROBE_RETURN_IF_ERROR(MarkLog(database));
  CrashPoint("migration-not-committed");
  transaction.Commit();
  CrashPoint("migration-committed");
  return absl::OkStatus();
}

}  // namespace moeprobe
