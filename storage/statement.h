#ifndef MOEPROBE_STORAGE_STATEMENT_H_
#define MOEPROBE_STORAGE_STATEMENT_H_

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moeprobe {

// Bytes to bind as a BLOB.
struct Blob {
  std::string_view bytes;
};

// Binding of one argument, by type; an empty optional is NULL.
template <typename T>
void BindOne(SQLite::Statement& statement, int index, const T& value) {
  statement.bind(index, value);
}
inline void BindOne(SQLite::Statement& statement, int index,
                    const Blob& value) {
  statement.bind(index, static_cast<const void*>(value.bytes.data()),
                 static_cast<int>(value.bytes.size()));
}
template <typename T>
void BindOne(SQLite::Statement& statement, int index,
             const std::optional<T>& value) {
  if (value) {
    BindOne(statement, index, *value);
  } else {
    statement.bind(index);
  }
}

// Binds `arguments` to ?1, ?2 and so on.
template <typename... Arguments>
void BindAll(SQLite::Statement& statement, const Arguments&... arguments) {
  int index = 0;
  (BindOne(statement, ++index, arguments), ...);
}

// Returns `sql`, prepared, with `arguments` bound.
template <typename... Arguments>
SQLite::Statement Query(SQLite::Database& database, const char* sql,
                        const Arguments&... arguments) {
  SQLite::Statement statement(database, sql);
  BindAll(statement, arguments...);
  return statement;
}

// A statement that is run with many rows of arguments. To prepare one takes
// longer than to run it.
class Repeated {
 public:
  Repeated(SQLite::Database& database, const char* sql)
      : statement_(database, sql) {}

  // Runs it and returns how many rows it changed.
  template <typename... Arguments>
  int operator()(const Arguments&... arguments) {
    statement_.reset();
    statement_.clearBindings();
    BindAll(statement_, arguments...);
    return statement_.exec();
  }

 private:
  SQLite::Statement statement_;
};

// Runs `sql` with `arguments` and returns how many rows it changed.
template <typename... Arguments>
int Execute(SQLite::Database& database, const char* sql,
            const Arguments&... arguments) {
  return Query(database, sql, arguments...).exec();
}

// Returns the first column of the first row, if there is a row and the value
// is not NULL.
template <typename... Arguments>
std::optional<int64_t> QueryInteger(SQLite::Database& database, const char* sql,
                                    const Arguments&... arguments) {
  SQLite::Statement statement = Query(database, sql, arguments...);
  if (!statement.executeStep() || statement.isColumnNull(0)) {
    return std::nullopt;
  }
  return statement.getColumn(0).getInt64();
}
template <typename... Arguments>
std::optional<std::string> QueryText(SQLite::Database& database,
                                     const char* sql,
                                     const Arguments&... arguments) {
  SQLite::Statement statement = Query(database, sql, arguments...);
  if (!statement.executeStep() || statement.isColumnNull(0)) {
    return std::nullopt;
  }
  return statement.getColumn(0).getString();
}

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_STATEMENT_H_
