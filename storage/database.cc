#include "storage/database.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/migration.h"
#include "storage/schema_objects.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// The pages of arrays are left to whoever reads them, and to doctor: they are
// nearly all, and would be seconds for each few gigabytes of results.
constexpr const char* kDamage = R"sql(
SELECT found.quick_check
FROM sqlite_schema AS entry, pragma_quick_check(entry.name) AS found
WHERE entry.type = 'table' AND entry.name <> 'matrix' AND
  found.quick_check <> 'ok'
LIMIT 1)sql";

absl::Status CheckPages(Connection& database) {
  const auto damage = QueryText(database, kDamage);
  if (!damage) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("damaged: ", *damage));
}

absl::StatusOr<std::unique_ptr<Connection>> OpenCurrent(
    const std::filesystem::path& file) {
  MOEPROBE_ASSIGN_OR_RETURN(auto connection, OpenToWrite(file));
  absl::Status ready = CatchSqlErrors([&]() -> absl::Status {
    MOEPROBE_RETURN_IF_ERROR(CheckPages(*connection));
    MOEPROBE_RETURN_IF_ERROR(Migrate(*connection, file));
    return CheckSchemaObjects(*connection);
  });
  if (!ready.ok()) return ready;
  return connection;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const std::filesystem::path& file) {
  auto connection = OpenCurrent(file);
  MOEPROBE_RETURN_IF_ERROR(WithContext(connection.status(), file.string()));
  return std::unique_ptr<Database>(new Database(file, *std::move(connection)));
}

}  // namespace moeprobe
