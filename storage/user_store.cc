#include "storage/user_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

std::optional<int64_t> Micros(const std::optional<absl::Time>& time) {
  if (!time) return std::nullopt;
  return absl::ToUnixMicros(*time);
}

std::optional<absl::Time> ReadTime(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return absl::FromUnixMicros(column.getInt64());
}

UserRow ReadUser(const Statement& query) {
  UserRow user;
  user.name = query.getColumn(0).getString();
  user.is_admin = query.getColumn(1).getString() == "admin";
  if (!query.isColumnNull(2)) {
    user.token = StoredToken{.id = query.getColumn(2).getString(),
                             .sha256 = query.getColumn(3).getString()};
  }
  user.create_time = absl::FromUnixMicros(query.getColumn(4).getInt64());
  user.expire_time = ReadTime(query.getColumn(5));
  user.last_call_time = ReadTime(query.getColumn(6));
  user.revoke_time = ReadTime(query.getColumn(7));
  return user;
}

// Runs a statement over the columns of a user; returns how many rows changed.
int Write(Connection& database, const char* sql, const UserRow& user) {
  const auto id = user.token ? std::optional(user.token->id) : std::nullopt;
  const auto sha256 =
      user.token ? std::optional(user.token->sha256) : std::nullopt;
  return Execute(database, sql, user.name, user.is_admin ? "admin" : "user", id,
                 sha256, absl::ToUnixMicros(user.create_time),
                 Micros(user.expire_time), Micros(user.last_call_time),
                 Micros(user.revoke_time));
}

}  // namespace

absl::Status UserStore::Add(const UserRow& user) {
  return database_->Write([&](Connection& db) -> absl::Status {
    const int added =
        Write(db,
              "INSERT INTO user(name, role, token_id, token_sha256, "
              "create_time, expire_time, last_call_time, revoke_time) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(name) "
              "DO NOTHING",
              user);
    if (added > 0) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat("there is a user ", user.name, " already"));
  });
}

absl::Status UserStore::Change(const UserRow& user) {
  return database_->Write([&](Connection& db) -> absl::Status {
    const int changed =
        Write(db,
              "UPDATE user SET role = ?2, token_id = ?3, token_sha256 = ?4, "
              "create_time = ?5, expire_time = ?6, last_call_time = ?7, "
              "revoke_time = ?8 WHERE name = ?1",
              user);
    if (changed > 0) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("there is no user ", user.name));
  });
}

absl::Status UserStore::NoteCall(const std::string& name, absl::Time time) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, "UPDATE user SET last_call_time = ?2 WHERE name = ?1", name,
            absl::ToUnixMicros(time));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<UserRow>> UserStore::List() {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::vector<UserRow>> {
        Statement query =
            Query(db,
                  "SELECT name, role, token_id, token_sha256, create_time, "
                  "expire_time, last_call_time, revoke_time FROM user "
                  "ORDER BY name");
        std::vector<UserRow> users;
        while (query.executeStep()) users.push_back(ReadUser(query));
        return users;
      });
}

}  // namespace moeprobe
