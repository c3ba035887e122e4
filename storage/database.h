#ifndef MOEPROBE_STORAGE_DATABASE_H_
#define MOEPROBE_STORAGE_DATABASE_H_

#include <filesystem>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/connection.h"
#include "storage/log_identity.h"
#include "storage/readers.h"
#include "storage/sql_errors.h"
#include "storage/transaction.h"
#include "storage/writer.h"

namespace moeprobe {

// The one database: one connection that writes, on a thread of its own, and
// some that read. Only code in storage/ looks inside. Thread-safe.
class Database {
 public:
  // Opens `file`, creating it if there is none, checks it and brings its
  // schema up to date.
  //
  // Returns DataLoss if it is damaged or no database, FailedPrecondition if it
  // belongs to another program or to a newer version.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const std::filesystem::path& file);

  // Returns what `body`, a function from Connection& to absl::Status or
  // absl::StatusOr that only reads, returns. It sees every change that was
  // acknowledged before, and none that happens meanwhile.
  template <typename Body>
  auto Read(Body&& body) -> decltype(body(std::declval<Connection&>())) {
    auto connection = readers_.Take();
    if (!connection.ok()) return connection.status();
    auto result = CatchSqlErrors([&] {
      const Transaction snapshot(**connection, Transaction::Kind::kSnapshot);
      return body(**connection);
    });
    if (absl::IsUnavailable(StatusIn(result))) connection->reset();
    readers_.GiveBack(*std::move(connection));
    return result;
  }

  // The same of a function that changes the database, by the rules of
  // Writer::Change: what it did is on disk when this returns OK and never
  // happened otherwise.
  template <typename Body>
  auto Write(Body&& body) -> decltype(body(std::declval<Connection&>())) {
    decltype(body(std::declval<Connection&>())) result =
        absl::UnknownError("not carried out");
    absl::Status status =
        writer_.Run([&](Connection& database) -> absl::Status {
          result = body(database);
          return StatusIn(result);
        });
    if (!status.ok()) return status;
    return result;
  }

 private:
  Database(const std::filesystem::path& file,
           std::unique_ptr<Connection> connection)
      : writer_(file, std::move(connection), MarkLog), readers_(file) {}

  static absl::Status StatusIn(const absl::Status& result) { return result; }
  template <typename T>
  static absl::Status StatusIn(const absl::StatusOr<T>& result) {
    return result.status();
  }

  Writer writer_;
  Readers readers_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DATABASE_H_
