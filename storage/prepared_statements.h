#ifndef MOEPROBE_STORAGE_PREPARED_STATEMENTS_H_
#define MOEPROBE_STORAGE_PREPARED_STATEMENTS_H_

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <functional>
#include <map>
#include <string>

namespace moeprobe {

// The statements that a connection has prepared and nobody uses, by their SQL.
// To prepare one takes longer than to run it, most of all one that fires
// triggers. Grows to one statement for each text that the program has; they go
// before their connection does. Of one thread at a time.
class PreparedStatements {
 public:
  using Idle = std::map<std::string, SQLite::Statement, std::less<>>;
  // A statement, and its SQL as the key: to take one and to give it back
  // allocates nothing.
  using Lent = Idle::node_type;

  // Returns the statement of `sql`, without bindings, prepared now if there is
  // none. Throws SQLite::Exception.
  Lent Take(SQLite::Database& database, const char* sql);

  // `statement`: from Take, wherever it stopped.
  void GiveBack(Lent statement) noexcept;

 private:
  Idle idle_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_PREPARED_STATEMENTS_H_
