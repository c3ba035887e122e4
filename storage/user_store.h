#ifndef MOEPROBE_STORAGE_USER_STORE_H_
#define MOEPROBE_STORAGE_USER_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/database.h"

namespace moeprobe {

// What the server keeps of a token.
struct StoredToken {
  std::string id;      // what it is found by, part of the token
  std::string sha256;  // of the whole token
};

// Somebody who was made known to the server.
struct UserRow {
  std::string name;
  bool is_admin = false;
  std::optional<StoredToken> token = {};
  absl::Time create_time = {};
  std::optional<absl::Time> expire_time = {};
  std::optional<absl::Time> last_call_time = {};
  std::optional<absl::Time> revoke_time = {};
};

// Who was made known to the server. Every change is on disk before the call
// returns. Thread-safe.
class UserStore {
 public:
  // `database` must outlive the store.
  explicit UserStore(Database* database) : database_(database) {}

  // Adds a user. AlreadyExists if there is one of this name.
  absl::Status Add(const UserRow& user);

  // Puts `user` in the place of the one of its name. NotFound if there is none.
  absl::Status Change(const UserRow& user);

  // Keeps when a user called last; says nothing if there is no such user.
  absl::Status NoteCall(const std::string& name, absl::Time time);

  // Returns all users, by name.
  absl::StatusOr<std::vector<UserRow>> List();

 private:
  Database* database_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_USER_STORE_H_
