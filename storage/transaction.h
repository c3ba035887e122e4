#ifndef MOEPROBE_STORAGE_TRANSACTION_H_
#define MOEPROBE_STORAGE_TRANSACTION_H_

#include <cstdint>

#include "storage/connection.h"

namespace moeprobe {

// A transaction that is undone unless it is committed. Its statements are
// prepared once for a connection; those of SQLite::Transaction are so each
// time.
class Transaction {
 public:
  enum class Kind : std::uint8_t {
    kSnapshot,  // sees the database as it is at the first statement
    kWrite,     // and nobody else changes it meanwhile
  };

  // Throws SQLite::Exception.
  Transaction(Connection& database, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // On disk when this returns. Throws SQLite::Exception.
  void Commit();

 private:
  Connection& database_;
};

// Whether `database` has one open. SQLite ends the whole of it after some
// errors, such as a full disk.
bool IsInTransaction(const Connection& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_TRANSACTION_H_
