#include "server/access/user_directory.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "server/access/token.h"
#include "server/access/user_name.h"
#include "storage/user_store.h"

namespace moeprobe {
namespace {

constexpr absl::Duration kNotedEvery = absl::Minutes(1);

}  // namespace

absl::StatusOr<std::unique_ptr<UserDirectory>> UserDirectory::Open(
    UserStore* store, std::function<void()> on_change) {
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<UserRow> users, store->List());
  std::unique_ptr<UserDirectory> directory(
      new UserDirectory(store, std::move(on_change)));
  const MutexLock lock(directory->mutex_);
  for (UserRow& user : users) {
    directory->users_.emplace(user.name, std::move(user));
  }
  return directory;
}

absl::StatusOr<AdmittedUser> UserDirectory::Admit(UserRow user,
                                                  const Admission& admission,
                                                  bool is_new) {
  std::string token;
  user.token.reset();
  if (admission.with_token) {
    MOEPROBE_ASSIGN_OR_RETURN(token, NewToken());
    user.token = StoredFormOf(token);
  }
  user.revoke_time.reset();
  user.expire_time.reset();
  if (admission.lifetime) user.expire_time = absl::Now() + *admission.lifetime;
  MOEPROBE_RETURN_IF_ERROR(is_new ? store_->Add(user) : store_->Change(user));
  {
    const MutexLock lock(mutex_);
    users_[user.name] = user;
  }
  on_change_();
  return AdmittedUser{.user = std::move(user), .token = std::move(token)};
}

absl::StatusOr<AdmittedUser> UserDirectory::Add(const std::string& name,
                                                bool is_admin,
                                                const Admission& admission) {
  MOEPROBE_RETURN_IF_ERROR(CheckNewUserName(name));
  const MutexLock lock(change_mutex_);
  return Admit({.name = name, .is_admin = is_admin, .create_time = absl::Now()},
               admission, /*is_new=*/true);
}

absl::StatusOr<UserRow> UserDirectory::FindOrSay(
    const std::string& name) const {
  if (auto user = Find(name)) return *std::move(user);
  return absl::NotFoundError(absl::StrCat("there is no user ", Quoted(name)));
}

absl::StatusOr<AdmittedUser> UserDirectory::Renew(const std::string& name,
                                                  const Admission& admission) {
  const MutexLock lock(change_mutex_);
  MOEPROBE_ASSIGN_OR_RETURN(UserRow user, FindOrSay(name));
  return Admit(std::move(user), admission, /*is_new=*/false);
}

absl::StatusOr<UserRow> UserDirectory::Revoke(const std::string& name) {
  const MutexLock change_lock(change_mutex_);
  MOEPROBE_ASSIGN_OR_RETURN(UserRow user, FindOrSay(name));
  if (user.revoke_time) return user;
  user.revoke_time = absl::Now();
  MOEPROBE_RETURN_IF_ERROR(store_->Change(user));
  {
    const MutexLock lock(mutex_);
    users_[name] = user;
  }
  on_change_();
  return user;
}

absl::Status UserDirectory::NoteCall(const std::string& name) {
  const absl::Time now = absl::Now();
  {
    const MutexLock lock(mutex_);
    const auto found = users_.find(name);
    if (found == users_.end()) return absl::OkStatus();
    auto& last = found->second.last_call_time;
    if (last && now - *last < kNotedEvery) return absl::OkStatus();
    last = now;
  }
  return store_->NoteCall(name, now);
}

std::optional<UserRow> UserDirectory::Find(const std::string& name) const {
  const MutexLock lock(mutex_);
  const auto found = users_.find(name);
  if (found == users_.end()) return std::nullopt;
  return found->second;
}

std::optional<UserRow> UserDirectory::FindByTokenId(
    const std::string& id) const {
  const MutexLock lock(mutex_);
  for (const auto& [name, user] : users_) {
    if (user.token && user.token->id == id) return user;
  }
  return std::nullopt;
}

std::vector<UserRow> UserDirectory::List() const {
  const MutexLock lock(mutex_);
  std::vector<UserRow> users;
  users.reserve(users_.size());
  for (const auto& [name, user] : users_) users.push_back(user);
  return users;
}

absl::Status CheckAdmission(const UserRow& user, absl::Time now) {
  if (user.revoke_time) {
    return absl::UnauthenticatedError(
        absl::StrCat("user ", user.name, " was revoked"));
  }
  if (user.expire_time && now >= *user.expire_time) {
    return absl::UnauthenticatedError(
        absl::StrCat("user ", user.name, " was let in until ",
                     absl::FormatTime("%Y-%m-%d %H:%M:%S UTC",
                                      *user.expire_time, absl::UTCTimeZone()),
                     ": an admin can renew that (moeprobe-server user renew)"));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
