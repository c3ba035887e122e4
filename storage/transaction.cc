#include "storage/transaction.h"

#include <sqlite3.h>

#include "absl/status/status.h"
#include "storage/connection.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"

namespace moeprobe {

Transaction::Transaction(Connection& database, Kind kind)
    : database_(database) {
  Execute(database_, kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!IsInTransaction(database_)) return;
  static_cast<void>(CatchSqlErrors([&] {
    Execute(database_, "ROLLBACK");
    return absl::OkStatus();
  }));
}

void Transaction::Commit() { Execute(database_, "COMMIT"); }

bool IsInTransaction(const Connection& database) {
  return sqlite3_get_autocommit(database.getHandle()) == 0;
}

}  // namespace moeprobe
