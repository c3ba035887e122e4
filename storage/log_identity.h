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

// Gives a copy of a database, which nobody has open, a number of its own: a log
// that goes on from the original is not the copy's. Nothing where it has none
// yet. Does not wait for the disk.
absl::Status GiveNumber(const std::filesystem::path& copy);

// FailedPrecondition if the log beside `database` is no file, or has not its
// number, and with it the database is damaged or has another. To be called
// before that is opened to write; nothing is changed. A copy that somebody else
// made has the same number, and is not told from the original. OK where the
// database has no number outside of its log yet, and where one of them cannot
// be read: who opens it says why.
absl::Status CheckLogIsItsOwn(const std::filesystem::path& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_LOG_IDENTITY_H_
