#ifndef MOEPROBE_SERVER_ACCESS_USER_DIRECTORY_H_
#define MOEPROBE_SERVER_ACCESS_USER_DIRECTORY_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "storage/user_store.h"

namespace moeprobe {

// What a user is let in by, and for how long.
struct Admission {
  bool with_token = true;
  std::optional<absl::Duration> lifetime = {};  // for ever without one
};

// A user, and the token that was made for them, which is nowhere else; empty
// where none was made.
struct AdmittedUser {
  UserRow user;
  std::string token;
};

// Who was made known to the server, in memory: every call asks. Changes are on
// disk before they are true here. Thread-safe.
class UserDirectory {
 public:
  // Reads all users from `store`, which must outlive the directory.
  // `on_change` is called after each change, from the thread that made it.
  static absl::StatusOr<std::unique_ptr<UserDirectory>> Open(
      UserStore* store, std::function<void()> on_change);

  // Adds a user. InvalidArgument if the name is none, AlreadyExists if it is
  // somebody's, revoked or not.
  absl::StatusOr<AdmittedUser> Add(const std::string& name, bool is_admin,
                                   const Admission& admission);

  // Ends the token of a user and any revocation, and admits them anew. NotFound
  // if there is no such user.
  absl::StatusOr<AdmittedUser> Renew(const std::string& name,
                                     const Admission& admission);

  // Lets a user in no more. NotFound if there is no such user.
  absl::StatusOr<UserRow> Revoke(const std::string& name);

  // Notes that a user has called. What is kept of it is true to the minute.
  absl::Status NoteCall(const std::string& name);

  std::optional<UserRow> Find(const std::string& name) const;
  std::optional<UserRow> FindByTokenId(const std::string& id) const;

  // Returns all users, by name.
  std::vector<UserRow> List() const;

 private:
  UserDirectory(UserStore* store, std::function<void()> on_change)
      : store_(store), on_change_(std::move(on_change)) {}

  absl::StatusOr<AdmittedUser> Admit(UserRow user, const Admission& admission,
                                     bool is_new);
  absl::StatusOr<UserRow> FindOrSay(const std::string& name) const;

  UserStore* store_;
  std::function<void()> on_change_;
  // Held while a change is made; before `mutex_`.
  Mutex change_mutex_;
  mutable Mutex mutex_;
  std::map<std::string, UserRow> users_ ABSL_GUARDED_BY(mutex_);
};

// Why a user is not let in now; OK if they are.
absl::Status CheckAdmission(const UserRow& user, absl::Time now);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_USER_DIRECTORY_H_
