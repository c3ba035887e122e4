#include "storage/database.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "storage/schema.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

absl::Status Configure(SQLite::Database& database) {
  database.setBusyTimeout(5000);
  const std::string mode =
      database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") {
    return absl::FailedPreconditionError(absl::StrCat(
        "the file system allows journal mode ", mode, ", expected wal"));
  }
  database.exec(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
      "PRAGMA mmap_size = 0");
  return absl::OkStatus();
}

absl::Status CheckOwner(SQLite::Database& database) {
  const bool empty =
      QueryInteger(database, "SELECT count(*) FROM sqlite_schema") == 0;
  const auto owner = QueryInteger(database, "PRAGMA application_id");
  if (empty && owner == 0) return absl::OkStatus();
  if (owner != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat("application id is ", owner.value_or(0), ", expected ",
                     kApplicationId, ": another program's database"));
  }
  return absl::OkStatus();
}

absl::Status CheckPages(SQLite::Database& database) {
  const std::string found =
      QueryText(database, "PRAGMA quick_check(1)").value_or("nothing");
  if (found == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("damaged: ", found));
}

absl::Status Migrate(SQLite::Database& database) {
  const auto version = static_cast<size_t>(
      QueryInteger(database, "PRAGMA user_version").value_or(0));
  const auto migrations = Migrations();
  if (version > migrations.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "schema version is ", version, ", this program knows up to ",
        migrations.size(), ": written by a newer moeprobe"));
  }
  for (size_t step = version; step < migrations.size(); ++step) {
    SQLite::Transaction transaction(database,
                                    SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(migrations[step]);
    database.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                               "; PRAGMA user_version = ", step + 1));
    transaction.commit();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const std::filesystem::path& file) {
  std::unique_ptr<Database> result;
  const absl::Status status = CatchSqlErrors([&]() -> absl::Status {
    result.reset(new Database(file));
    const MutexLock lock(result->mutex_);
    SQLite::Database& connection = result->connection_;
    MOEPROBE_RETURN_IF_ERROR(CheckOwner(connection));
    MOEPROBE_RETURN_IF_ERROR(Configure(connection));
    MOEPROBE_RETURN_IF_ERROR(CheckPages(connection));
    return Migrate(connection);
  });
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat(file.string(), ": ", status.message()));
  }
  return result;
}

}  // namespace moeprobe
