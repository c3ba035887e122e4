#include "storage/lost_database.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "storage/data_layout.h"

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

// Or something else of its name, which cannot be opened.
bool HasDatabase(const fs::path& path) {
  std::error_code error;
  const bool is_file = fs::is_regular_file(path, error);
  return is_file ? HoldsSomething(path) : fs::exists(path, error);
}

// What SQLite has not moved into the database yet. It drops this where the
// database is empty.
fs::path WriteAheadLogOf(const fs::path& database) {
  return database.native() + "-wal";
}

}  // namespace

absl::Status CheckNoDatabaseIsLost(const DataLayout& layout) {
  if (HasDatabase(layout.database)) return absl::OkStatus();
  for (const fs::path& path :
       {layout.blobs, layout.trained, WriteAheadLogOf(layout.database)}) {
    if (!HoldsSomething(path)) continue;
    return absl::DataLossError(absl::StrCat(
        layout.database.native(),
        ": found no database, or an empty file, "
        "beside ",
        path.native(),
        ", which belongs to one; expected that "
        "database: put it back, restore a backup into a new directory "
        "(moeprobe-server restore), or move ",
        path.native(), " away to begin without it"));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
