#include "storage/lost_database.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/log_identity.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// A file or directory that cannot be looked at may hold something.
bool HoldsSomething(const fs::path& path) {
  std::error_code error;
  if (fs::status(path, error).type() == fs::file_type::not_found) return false;
  const bool is_empty = fs::is_empty(path, error);
  return error || !is_empty;
}

bool IsEmptyFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && !HoldsSomething(path);
}

// Whether nothing was ever stored in it, as far as what is left of its
// write-ahead log tells. What is no file, a FIFO, say, for which SQLite would
// wait, or cannot be read is left to whoever opens it.
bool IsBlank(const fs::path& database) {
  std::error_code error;
  if (!fs::is_regular_file(database, error)) return false;
  const auto tables = CatchSqlErrors([&]() -> absl::StatusOr<int64_t> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenToRead(database));
    return QueryInteger(*connection, "SELECT count(*) FROM sqlite_schema")
        .value_or(0);
  });
  return tables.ok() && *tables == 0;
}

// Where there is something that belongs to a database; nothing if nowhere.
fs::path FirstThatHoldsSomething(const std::vector<fs::path>& paths) {
  const auto found = std::ranges::find_if(paths, HoldsSomething);
  return found == paths.end() ? fs::path() : *found;
}

absl::Status Lost(const DataLayout& layout, const char* found,
                  const fs::path& beside) {
  if (beside.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      layout.database.native(), ": found ", found, " beside ", beside.native(),
      ", which belongs to one; expected that database: put it back, restore a "
      "backup into a new directory (moeprobe-server restore), or move ",
      beside.native(), " away to begin without it"));
}

}  // namespace

absl::Status CheckNoDatabaseIsLost(const DataLayout& layout) {
  std::error_code error;
  if (!fs::exists(layout.database, error) || IsEmptyFile(layout.database)) {
    return Lost(layout, "no database, or an empty file,",
                FirstThatHoldsSomething({layout.blobs, layout.trained,
                                         WriteAheadLogOf(layout.database)}));
  }
  MOEPROBE_RETURN_IF_ERROR(CheckLogIsItsOwn(layout.database));
  if (!IsBlank(layout.database)) return absl::OkStatus();
  return Lost(layout, "a database without tables",
              FirstThatHoldsSomething({layout.blobs, layout.trained}));
}

}  // namespace moeprobe
