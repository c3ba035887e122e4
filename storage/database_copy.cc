#include "storage/database_copy.h"

#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"
#include "storage/connection.h"
#include "storage/integrity.h"
#include "storage/log_identity.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {

absl::Status CheckDatabase(const std::filesystem::path& file) {
  return CatchSqlErrors([&]() -> absl::Status {
    MOEPROBE_ASSIGN_OR_RETURN(const auto database, OpenToRead(file));
    const auto damage = FindDamage(*database);
    if (damage.empty()) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(
        file.native(), ": damaged: ", absl::StrJoin(damage, "; ")));
  });
}

// SQLite does not wait for the disk in VACUUM INTO.
absl::Status CopyDatabase(const std::filesystem::path& from,
                          const std::filesystem::path& to) {
  absl::Status copied = CatchSqlErrors([&]() -> absl::Status {
    MOEPROBE_ASSIGN_OR_RETURN(const auto database, OpenToRead(from));
    Execute(*database, "VACUUM INTO ?1", to.native());
    return absl::OkStatus();
  });
  if (!copied.ok()) return copied;
  MOEPROBE_RETURN_IF_ERROR(GiveNumber(to));
  CrashPoint("database-copied-not-synced");
  MOEPROBE_RETURN_IF_ERROR(SyncFile(to));
  return CheckDatabase(to);
}

}  // namespace moeprobe
