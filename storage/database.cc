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

absl::Status CheckPages(Connection& database) {
  const std::string found =
      QueryText(database, "PRAGMA quick_check(1)").value_or("nothing");
  if (found == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("damaged: ", found));
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
