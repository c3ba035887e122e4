#ifndef MOEPROBE_STORAGE_STATEMENT_H_
#define MOEPROBE_STORAGE_STATEMENT_H_

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/connection.h"
#include "storage/prepared_statements.h"

namespace moeprobe {

// Bytes to bind as a BLOB.
struct Blob {
  std::string_view bytes;
};

// A statement that a connection lends, without bindings. Throws
// SQLite::Exception.
class Statement {
 public:
  Statement(Connection& connection, const char* sql)
      : lender_(&connection.statements()),
        lent_(lender_->Take(connection, sql)) {}
  Statement(Statement&& other) noexcept = default;
  Statement& operator=(Statement&&) = delete;
  ~Statement() {
    if (!lent_.empty()) lender_->GiveBack(std::move(lent_));
  }

  // Those of SQLite::Statement.
  int exec() { return statement().exec(); }
  bool executeStep() { return statement().executeStep(); }
  SQLite::Column getColumn(int index) const {
    return statement().getColumn(index);
  }
  bool isColumnNull(int index) const { return statement().isColumnNull(index); }

  // Binds `arguments` to ?1, ?2 and so on.
  template <typename... Arguments>
  void BindAll(const Arguments&... arguments) {
    int index = 0;
    (Bind(++index, arguments), ...);
  }

  // Binds one argument, by type; an empty optional is NULL.
  template <typename T>
  void Bind(int index, const T& value) {
    statement().bind(index, value);
  }
  void Bind(int index, const Blob& value) {
    statement().bind(index, static_cast<const void*>(value.bytes.data()),
                     static_cast<int>(value.bytes.size()));
  }
  template <typename T>
  void Bind(int index, const std::optional<T>& value) {
    if (value) {
      Bind(index, *value);
    } else {
      statement().bind(index);
    }
  }

 private:
  SQLite::Statement& statement() const { return lent_.mapped(); }

  PreparedStatements* lender_;
  PreparedStatements::Lent lent_;
};

// Returns `sql`, prepared, with `arguments` bound.
template <typename... Arguments>
Statement Query(Connection& connection, const char* sql,
                const Arguments&... arguments) {
  Statement statement(connection, sql);
  statement.BindAll(arguments...);
  return statement;
}

// Runs `sql` with `arguments` and returns how many rows it changed.
template <typename... Arguments>
int Execute(Connection& database, const char* sql,
            const Arguments&... arguments) {
  return Query(database, sql, arguments...).exec();
}

// Returns the first column of the first row, if there is a row and the value
// is not NULL.
template <typename... Arguments>
std::optional<int64_t> QueryInteger(Connection& database, const char* sql,
                                    const Arguments&... arguments) {
  Statement statement = Query(database, sql, arguments...);
  if (!statement.executeStep() || statement.isColumnNull(0)) {
    return std::nullopt;
  }
  return statement.getColumn(0).getInt64();
}
template <typename... Arguments>
std::optional<std::string> QueryText(Connection& database, const char* sql,
                                     const Arguments&... arguments) {
  Statement statement = Query(database, sql, arguments...);
  if (!statement.executeStep() || statement.isColumnNull(0)) {
    return std::nullopt;
  }
  return statement.getColumn(0).getString();
}

// Returns the first column of every row.
inline std::vector<int64_t> SelectIds(Statement query) {
  std::vector<int64_t> ids;
  while (query.executeStep()) ids.push_back(query.getColumn(0).getInt64());
  return ids;
}
inline std::vector<std::string> SelectTexts(Statement query) {
  std::vector<std::string> texts;
  while (query.executeStep()) texts.push_back(query.getColumn(0).getString());
  return texts;
}

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_STATEMENT_H_
