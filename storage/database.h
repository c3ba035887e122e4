#ifndef MOEPROBE_STORAGE_DATABASE_H_
#define MOEPROBE_STORAGE_DATABASE_H_

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "storage/sql_errors.h"

namespace moeprobe {

// The one database and its one connection: SQLite 3.40 can damage a
// write-ahead log that two connections write at once. Only code in storage/
// looks inside. Thread-safe.
class Database {
 public:
  // Opens `file`, creating it if there is none, checks it and brings its
  // schema up to date.
  //
  // Returns DataLoss if it is damaged or no database, FailedPrecondition if it
  // belongs to another program or to a newer version.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const std::filesystem::path& file);

  // Returns what `body`, a function from SQLite::Database& to absl::Status or
  // absl::StatusOr, returns.
  template <typename Body>
  auto Read(Body&& body) -> decltype(body(std::declval<SQLite::Database&>())) {
    return CatchSqlErrors([&] {
      const MutexLock lock(mutex_);
      return body(connection_);
    });
  }

  // The same in a transaction, which is on disk when this returns OK and never
  // happened otherwise.
  template <typename Body>
  auto Write(Body&& body) -> decltype(body(std::declval<SQLite::Database&>())) {
    return CatchSqlErrors([&] {
      const MutexLock lock(mutex_);
      SQLite::Transaction transaction(connection_,
                                      SQLite::TransactionBehavior::IMMEDIATE);
      auto result = body(connection_);
      if (result.ok()) transaction.commit();
      return result;
    });
  }

 private:
  explicit Database(const std::filesystem::path& file)
      : connection_(file.string(),
                    SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {}

  Mutex mutex_;
  SQLite::Database connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DATABASE_H_
