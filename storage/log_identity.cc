#include "storage/log_identity.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
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
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

bool HasNumber(Connection& database) {
  return QueryText(database,
                   "SELECT name FROM sqlite_schema WHERE name = 'identity'")
      .has_value();
}

// The number of a database as it is without its log, none where there is no
// such table.
absl::StatusOr<std::optional<std::string>> NumberOf(const fs::path& database) {
  return CatchSqlErrors([&]() -> absl::StatusOr<std::optional<std::string>> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenWithoutLog(database));
    if (!HasNumber(*connection)) return std::nullopt;
    return QueryText(*connection,
                     "SELECT id FROM identity WHERE length(id) = 32");
  });
}

// Has SQLite read a database with its log; what it makes of the two together,
// which may be nothing, does not matter.
void ReadAnything(Connection& database) {
  static_cast<void>(CatchSqlErrors([&]() -> absl::Status {
    QueryInteger(database, "PRAGMA schema_version");
    return absl::OkStatus();
  }));
}

// How many pages SQLite takes from a log, those of whole transactions: what its
// index, which a first connection makes anew, has at byte 16
// (https://sqlite.org/walformat.html).
absl::StatusOr<uint32_t> PageCountOfLog(const fs::path& database) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenToRead(database));
  ReadAnything(*connection);
  std::ifstream index(IndexOfLogOf(database), std::ios::binary);
  std::array<char, 4> count{};
  index.seekg(16).read(count.data(), count.size());
  return std::bit_cast<uint32_t>(count);
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
    if (!HasNumber(*connection)) return absl::OkStatus();
    Execute(*connection, "UPDATE identity SET id = lower(hex(randomblob(16)))");
    return absl::OkStatus();
  });
}

absl::Status CheckLogIsItsOwn(const fs::path& database) {
  const fs::path log = WriteAheadLogOf(database);
  std::error_code error;
  const fs::file_status found_log = fs::status(log, error);
  if (fs::is_other(found_log)) return NoFile(log);
  if (!fs::exists(found_log) || !fs::is_regular_file(database, error)) {
    return absl::OkStatus();
  }
  const auto number = NumberOf(database);
  if (!number.ok() || !*number) return absl::OkStatus();
  const auto page_count = PageCountOfLog(database);
  if (!page_count.ok() || *page_count == 0) return absl::OkStatus();
  const auto is_own = Holds(log, **number);
  if (!is_own.ok() || *is_own) return absl::OkStatus();
  return Foreign(database, log, **number);
}

}  // namespace moeprobe
