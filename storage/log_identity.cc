#include "storage/log_identity.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

using Opened = absl::StatusOr<std::unique_ptr<Connection>>;

// As a connection sees it, none where there is no such table.
absl::StatusOr<std::optional<std::string>> IdentitySeenBy(
    Opened (*open)(const fs::path&), const fs::path& database) {
  return CatchSqlErrors([&]() -> absl::StatusOr<std::optional<std::string>> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, open(database));
    const auto table = QueryText(
        *connection, "SELECT name FROM sqlite_schema WHERE name = 'identity'");
    if (!table) return std::nullopt;
    return QueryText(*connection,
                     "SELECT id FROM identity WHERE length(id) = 32");
  });
}

absl::Status NoFile(const fs::path& log) {
  return absl::FailedPreconditionError(
      absl::StrCat(log.native(),
                   ": found what is neither a file nor a folder, expected the ",
                   "log of a database: move it away"));
}

absl::Status Foreign(const fs::path& database, const fs::path& log,
                     const std::string& own,
                     const std::optional<std::string>& found) {
  return absl::FailedPreconditionError(absl::StrCat(
      database.native(), ": found the log of ",
      found ? absl::StrCat("database ", *found) : "another database",
      " beside it, expected that of ", own, ": put the right ", log.native(),
      " back, or move this one away to go on without it"));
}

}  // namespace

absl::Status MarkLog(Connection& database) {
  Execute(database, "UPDATE identity SET log_count = log_count + 1");
  return absl::OkStatus();
}

absl::Status CheckLogIsItsOwn(const fs::path& database) {
  const fs::path log = WriteAheadLogOf(database);
  std::error_code error;
  const fs::file_status found_log = fs::status(log, error);
  if (fs::is_other(found_log)) return NoFile(log);
  if (!fs::exists(found_log) || !fs::is_regular_file(database, error)) {
    return absl::OkStatus();
  }
  const auto own = IdentitySeenBy(OpenWithoutLog, database);
  if (!own.ok() || !*own) return absl::OkStatus();
  const auto found = IdentitySeenBy(OpenToRead, database);
  if (!found.ok() || *found == *own) return absl::OkStatus();
  return Foreign(database, log, **own, *found);
}

}  // namespace moeprobe
