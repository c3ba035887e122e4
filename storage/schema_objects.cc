#include "storage/schema_objects.h"

#include <SQLiteCpp/Database.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "storage/connection.h"
#include "storage/schema.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// The SQL of every object by its kind and name, SQLite's own left out.
std::map<std::string, std::string> ObjectsOf(Connection& database) {
  std::map<std::string, std::string> objects;
  Statement rows(database,
                 "SELECT type, name, coalesce(sql, '') FROM "
                 "sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' "
                 "ESCAPE '\\'");
  while (rows.executeStep()) {
    const std::string name =
        absl::StrCat(rows.getColumn(0).getString(), " ",
                     Quoted(rows.getColumn(1).getString()));
    objects[name] = rows.getColumn(2).getString();
  }
  return objects;
}

std::map<std::string, std::string> MakeExpectedObjects() {
  Connection fresh(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (const char* step : Migrations()) fresh.exec(step);
  return ObjectsOf(fresh);
}

// Made once: it takes as long as all the rest of opening a database.
const std::map<std::string, std::string>& ExpectedObjects() {
  static const auto objects = MakeExpectedObjects();
  return objects;
}

absl::Status Wrong(const std::string& object, const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat(
      object, " ", what, ": restore a backup (moeprobe-server restore)"));
}

}  // namespace

absl::Status CheckSchemaObjects(Connection& database) {
  const auto found = ObjectsOf(database);
  const auto& expected = ExpectedObjects();
  for (const auto& [object, sql] : expected) {
    const auto own = found.find(object);
    if (own == found.end()) return Wrong(object, "is missing");
    if (own->second != sql) return Wrong(object, "is not that of this schema");
  }
  for (const auto& [object, sql] : found) {
    if (!expected.contains(object)) return Wrong(object, "is not ours");
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
