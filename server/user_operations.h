#ifndef MOEPROBE_SERVER_USER_OPERATIONS_H_
#define MOEPROBE_SERVER_USER_OPERATIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "moeprobe/v1/user_service.pb.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "storage/share_store.h"
#include "storage/user_store.h"

namespace moeprobe {

// Returns who a caller is, as they are told.
v1::Caller ToMessage(const Caller& caller);

// What admins do with users; see UserService. All methods fail with
// PermissionDenied for others. Thread-safe.
class UserOperations {
 public:
  // Both must outlive the object.
  UserOperations(UserDirectory* users, ShareStore* shares)
      : users_(users), shares_(shares) {}

  absl::StatusOr<v1::CreateUserResponse> Create(
      const Caller& caller, const v1::CreateUserRequest& request);
  absl::StatusOr<v1::RenewUserResponse> Renew(
      const Caller& caller, const v1::RenewUserRequest& request);
  absl::StatusOr<v1::User> Revoke(const Caller& caller,
                                  const std::string& name);
  absl::StatusOr<v1::User> SetWeight(const Caller& caller,
                                     const v1::SetUserWeightRequest& request);
  absl::StatusOr<v1::ListUsersResponse> List(
      const Caller& caller, const v1::ListUsersRequest& request);

 private:
  absl::StatusOr<v1::User> WithShare(const UserRow& user);

  UserDirectory* users_;
  ShareStore* shares_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_USER_OPERATIONS_H_
