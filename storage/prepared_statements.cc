#include "storage/prepared_statements.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>
#include <string_view>
#include <utility>

namespace moeprobe {

SQLite::Statement PreparedStatements::Take(SQLite::Database& database,
                                           const char* sql) {
  const auto idle = idle_.find(std::string_view(sql));
  if (idle == idle_.end()) return {database, sql};
  return std::move(idle_.extract(idle).mapped());
}

void PreparedStatements::GiveBack(SQLite::Statement statement) noexcept {
  // Says again what the last step said.
  static_cast<void>(statement.tryReset());
  statement.clearBindings();
  // Where the same text was used twice at once, one is enough.
  std::string sql = statement.getQuery();
  idle_.try_emplace(std::move(sql), std::move(statement));
}

}  // namespace moeprobe
