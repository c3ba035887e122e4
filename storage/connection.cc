#include "storage/connection.h"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "storage/schema.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

constexpr int kBusyMilliseconds = 5000;

// Nothing in the file is trusted more than it has to be.
constexpr const char* kDistrust =
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
    "PRAGMA mmap_size = 0";

// Every allocation of SQLite would take one lock, for statistics that nobody
// reads. Only before its first connection can they be left out.
void LeaveOutStatistics() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(done);
}

// A connection is used by one thread at a time.
std::unique_ptr<Connection> Open(const std::filesystem::path& file, int flags) {
  LeaveOutStatistics();
  return std::make_unique<Connection>(
      file.string(), flags | SQLite::OPEN_NOMUTEX, kBusyMilliseconds);
}

absl::Status CheckOwner(Connection& database) {
  const bool empty =
      QueryInteger(database, "SELECT count(*) FROM sqlite_schema") == 0;
  const auto owner = QueryInteger(database, "PRAGMA application_id");
  if (empty && owner == 0) return absl::OkStatus();
  if (owner != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat("application id is ", owner.value_or(0), ", expected ",
                     kApplicationId, ": another program's database"));
  }
  const auto version = QueryInteger(database, "PRAGMA user_version");
  if (std::cmp_greater(version.value_or(0), Migrations().size())) {
    return absl::FailedPreconditionError(
        absl::StrCat("schema version is ", version.value_or(0),
                     ", this program knows up to ", Migrations().size(),
                     ": written by a newer moeprobe"));
  }
  if (version.value_or(0) < 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "schema version is ", version.value_or(0), ", expected 0 to ",
        Migrations().size(), ": written by no moeprobe"));
  }
  return absl::OkStatus();
}

// A transaction is on disk once its commit returns (synchronous = FULL).
absl::Status UseWriteAheadLog(Connection& database) {
  const std::string mode =
      database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") {
    return absl::FailedPreconditionError(absl::StrCat(
        "the file system allows journal mode ", mode, ", expected wal"));
  }
  database.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Connection>> OpenWithDistrust(
    const std::filesystem::path& file, int flags) {
  return CatchSqlErrors([&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
    auto connection = Open(file, flags);
    connection->exec(kDistrust);
    return connection;
  });
}

// Of a file that does not change, as far as SQLite is told.
std::string UriOf(const std::filesystem::path& file) {
  return absl::StrCat(
      "file:",
      absl::StrReplaceAll(file.native(),
                          {{"%", "%25"}, {"?", "%3f"}, {"#", "%23"}}),
      "?immutable=1");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> OpenToWrite(
    const std::filesystem::path& file) {
  return CatchSqlErrors([&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
    auto connection = Open(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    MOEPROBE_RETURN_IF_ERROR(CheckOwner(*connection));
    MOEPROBE_RETURN_IF_ERROR(UseWriteAheadLog(*connection));
    connection->exec(kDistrust);
    return connection;
  });
}

absl::StatusOr<std::unique_ptr<Connection>> OpenToRead(
    const std::filesystem::path& file) {
  return OpenWithDistrust(file, SQLite::OPEN_READONLY);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenWithoutLog(
    const std::filesystem::path& file) {
  return OpenWithDistrust(UriOf(file),
                          SQLite::OPEN_READONLY | SQLite::OPEN_URI);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenAlone(
    const std::filesystem::path& copy) {
  return CatchSqlErrors([&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
    MOEPROBE_ASSIGN_OR_RETURN(auto connection,
                              OpenWithDistrust(copy, SQLite::OPEN_READWRITE));
    connection->exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    return connection;
  });
}

}  // namespace moeprobe
