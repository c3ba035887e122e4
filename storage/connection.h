#ifndef MOEPROBE_STORAGE_CONNECTION_H_
#define MOEPROBE_STORAGE_CONNECTION_H_

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "storage/prepared_statements.h"

namespace moeprobe {

// A connection that keeps what was prepared on it. Of one thread at a time.
class Connection : public SQLite::Database {
 public:
  using SQLite::Database::Database;

  PreparedStatements& statements() { return statements_; }

 private:
  PreparedStatements statements_;  // goes before the connection is closed
};

// Opens the connection that writes, creating the file if there is none. SQLite
// 3.40 can damage a write-ahead log that two connections write or checkpoint
// at once: there is one such connection to a file at any time.
//
// DataLoss if the file is no database, FailedPrecondition if it belongs to
// another program or to a newer version of this one, and is left alone, or its
// file system allows no write-ahead log.
absl::StatusOr<std::unique_ptr<Connection>> OpenToWrite(
    const std::filesystem::path& file);

// Opens a connection that neither writes nor checkpoints, to a file that one
// which writes is open on.
absl::StatusOr<std::unique_ptr<Connection>> OpenToRead(
    const std::filesystem::path& file);

// The same to a file that nobody has open, as it is without its write-ahead
// log.
absl::StatusOr<std::unique_ptr<Connection>> OpenWithoutLog(
    const std::filesystem::path& file);

// Opens a connection that writes to a copy which nobody else has open, without
// a write-ahead log or any other file, and does not wait for the disk: a
// process that dies meanwhile may leave it damaged.
absl::StatusOr<std::unique_ptr<Connection>> OpenAlone(
    const std::filesystem::path& copy);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_CONNECTION_H_
