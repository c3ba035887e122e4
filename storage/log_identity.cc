#include "storage/log_identity.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/integrity.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// The number of a database as a connection sees it, none where there is no such
// table.
std::optional<std::string> NumberSeenBy(Connection& database) {
  const auto table = QueryText(
      database, "SELECT name FROM sqlite_schema WHERE name = 'identity'");
  if (!table) return std::nullopt;
  return QueryText(database, "SELECT id FROM identity WHERE length(id) = 32");
}

// The same without its log.
absl::StatusOr<std::optional<std::string>> NumberOf(const fs::path& database) {
  return CatchSqlErrors([&]() -> absl::StatusOr<std::optional<std::string>> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenWithoutLog(database));
    return NumberSeenBy(*connection);
  });
}

absl::StatusOr<bool> Holds(const fs::path& log, std::string_view number) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(log));
  bool is_found = false;
  std::string seen;  // it may begin in one piece and end in the next
  MOEPROBE_RETURN_IF_ERROR(VisitPieces(file, log, [&](std::string_view piece) {
    seen.append(piece);
    is_found = is_found || seen.find(number) != std::string::npos;
    seen.erase(0, seen.size() - std::min(seen.size(), number.size() - 1));
    return absl::OkStatus();
  }));
  return is_found;
}

// Whether a database and its log are whole together, and have the number. Those
// of a server are that died before a first transaction was in the log, or
// beside which somebody else moved a log into the database: the next begins
// without a mark.
absl::StatusOr<bool> FitTogether(const fs::path& database,
                                 const std::string& number) {
  auto fit = CatchSqlErrors([&]() -> absl::StatusOr<bool> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenToRead(database));
    return NumberSeenBy(*connection) == number &&
           FindDamage(*connection).empty();
  });
  return absl::IsDataLoss(fit.status()) ? false : fit;
}

absl::Status NoFile(const fs::path& log) {
  return absl::FailedPreconditionError(
      absl::StrCat(log.native(),
                   ": found what is neither a file nor a folder, expected the ",
                   "log of a database: move it away"));
}

absl::Status Foreign(const fs::path& database, const fs::path& log,
                     const std::string& number) {
  return absl::FailedPreconditionError(
      absl::StrCat(database.native(),
                   ": found the log of another database, or of an older "
                   "or newer copy of this one, beside it, expected that of ",
                   number, ": put the right ", log.native(),
                   " back, or move this one away to go on without it"));
}

}  // namespace

absl::Status MarkLog(Connection& database) {
  Execute(database, "UPDATE identity SET log_count = log_count + 1");
  return absl::OkStatus();
}

absl::Status GiveNumber(const fs::path& copy) {
  return CatchSqlErrors([&]() -> absl::Status {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenAlone(copy));
    if (!NumberSeenBy(*connection)) return absl::OkStatus();
    Execute(*connection, "UPDATE identity SET id = lower(hex(randomblob(16)))");
    return absl::OkStatus();
  });
}

absl::Status CheckLogIsItsOwn(const fs::path& database) {
  const fs::path log = WriteAheadLogOf(database);
  std::error_code error;
  const fs::file_status found_log = fs::status(log, error);
  if (fs::is_other(found_log)) return NoFile(log);
  if (!fs::exists(found_log) || fs::is_empty(log, error) ||
      !fs::is_regular_file(database, error)) {
    return absl::OkStatus();
  }
  const auto number = NumberOf(database);
  if (!number.ok() || !*number) return absl::OkStatus();
  auto is_own = Holds(log, **number);
  if (is_own.ok() && !*is_own) is_own = FitTogether(database, **number);
  if (!is_own.ok() || *is_own) return absl::OkStatus();
  return Foreign(database, log, **number);
}

}  // namespace moeprobe
