#include "storage/prepared_statements.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string_view>
#include <utility>

namespace moeprobe {

PreparedStatements::Lent PreparedStatements::Take(SQLite::Database& database,
                                                  const char* sql) {
  auto idle = idle_.find(std::string_view(sql));
  if (idle == idle_.end()) {
    idle = idle_.emplace(sql, SQLite::Statement(database, sql)).first;
  }
  return idle_.extract(idle);
}

void PreparedStatements::GiveBack(Lent statement) noexcept {
  // Says again what the last step said.
  static_cast<void>(statement.mapped().tryReset());
  statement.mapped().clearBindings();
  // Where the same text was used twice at once, one is enough.
  idle_.insert(std::move(statement));
}

}  // namespace moeprobe
