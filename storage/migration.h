#ifndef MOEPROBE_STORAGE_MIGRATION_H_
#define MOEPROBE_STORAGE_MIGRATION_H_

#include <filesystem>

#include "absl/status/status.h"
#include "storage/connection.h"

namespace moeprobe {

// Brings the schema of `database`, the connection that writes to `file`, up to
// date, in one transaction. A file of an older schema is copied first, to its
// name and ".schema" and the number of that schema: the copy is on the disk and
// examined before anything changes.
absl::Status Migrate(Connection& database, const std::filesystem::path& file);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_MIGRATION_H_
