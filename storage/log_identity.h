#ifndef MOEPROBE_STORAGE_LOG_IDENTITY_H_
#define MOEPROBE_STORAGE_LOG_IDENTITY_H_

#include <filesystem>

#include "absl/status/status.h"
#include "storage/connection.h"

namespace moeprobe {

// A write-ahead log does not say whose it is: SQLite takes the pages of any
// that is whole, and moves them into the database when its last connection
// closes. So every database has a random number, and every log the page that
// holds it.

// Writes that page. To be part of the first transaction of each log.
absl::Status MarkLog(Connection& database);

// FailedPrecondition if the log beside `database` is another's, or no file.
// To be called before it is opened to write; nothing is changed. OK where the
// database has no number outside of its log yet, and where one of them cannot
// be read: who opens it says why.
absl::Status CheckLogIsItsOwn(const std::filesystem::path& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_LOG_IDENTITY_H_
