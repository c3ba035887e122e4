#include "server/user_operations.h"

#include <google/protobuf/duration.pb.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/user_service.pb.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "server/choice.h"
#include "server/page.h"
#include "server/resource_name.h"
#include "server/violations.h"
#include "spec/timestamp.h"
#include "storage/share_rows.h"
#include "storage/share_store.h"
#include "storage/user_store.h"

namespace moeprobe {
namespace {

constexpr const char* kListMethod = "ListUsers";
// What a lifetime may be, a hundred years at most.
constexpr absl::Duration kLeastLifetime = absl::Seconds(1);
constexpr absl::Duration kMostLifetime = absl::Hours(24 * 36525);
// What a weight may be.
constexpr double kLeastWeight = 0.01;
constexpr double kMostWeight = 100;

v1::Role ToRole(bool is_admin) {
  return is_admin ? v1::ROLE_ADMIN : v1::ROLE_USER;
}

v1::User ToMessage(const UserRow& row, const Share& share) {
  v1::User user;
  user.set_name(UserName(row.name));
  user.set_role(ToRole(row.is_admin));
  user.set_has_token(row.token.has_value());
  *user.mutable_create_time() = ToTimestamp(row.create_time);
  if (row.expire_time) {
    *user.mutable_expire_time() = ToTimestamp(*row.expire_time);
  }
  if (row.last_call_time) {
    *user.mutable_last_call_time() = ToTimestamp(*row.last_call_time);
  }
  if (row.revoke_time) {
    *user.mutable_revoke_time() = ToTimestamp(*row.revoke_time);
  }
  user.set_weight(share.weight);
  user.set_recent_seconds(share.seconds);
  return user;
}

absl::Status CheckIsAdmin(const Caller& caller) {
  if (caller.is_admin) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      caller.user, " is no admin: only admins say who the users are"));
}

absl::Status CheckRole(v1::Role role) {
  Violations violations;
  if (role != v1::ROLE_UNSPECIFIED) {
    CheckChoice(role, "user.role", violations);
  }
  return violations.ToStatus();
}

// Of a request that creates or renews a user.
template <typename Request>
absl::StatusOr<Admission> AdmissionOf(const Request& request) {
  Admission admission{.with_token = !request.without_token()};
  if (!request.has_lifetime()) return admission;
  const absl::Duration lifetime = absl::Seconds(request.lifetime().seconds()) +
                                  absl::Nanoseconds(request.lifetime().nanos());
  if (lifetime < kLeastLifetime || lifetime > kMostLifetime) {
    return absl::InvalidArgumentError(
        absl::StrCat("lifetime: ", absl::FormatDuration(lifetime),
                     " is out of range, expected a second to 100 years"));
  }
  admission.lifetime = lifetime;
  return admission;
}

}  // namespace

v1::Caller ToMessage(const Caller& caller) {
  v1::Caller message;
  message.set_user(caller.user);
  message.set_role(ToRole(caller.is_admin));
  switch (caller.proof) {
    case Proof::kToken:
      message.set_proof(v1::Caller::PROOF_TOKEN);
      break;
    case Proof::kCertificate:
      message.set_proof(v1::Caller::PROOF_CERTIFICATE);
      break;
    case Proof::kPeer:
      message.set_proof(v1::Caller::PROOF_PEER);
      break;
    case Proof::kLoopback:
      message.set_proof(v1::Caller::PROOF_LOOPBACK);
      break;
  }
  return message;
}

absl::StatusOr<v1::User> UserOperations::WithShare(const UserRow& user) {
  MOEPROBE_ASSIGN_OR_RETURN(auto shares, shares_->All());
  return ToMessage(user, shares[user.name]);
}

absl::StatusOr<v1::CreateUserResponse> UserOperations::Create(
    const Caller& caller, const v1::CreateUserRequest& request) {
  MOEPROBE_RETURN_IF_ERROR(CheckIsAdmin(caller));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name,
                            ParseUserName(request.user().name()));
  MOEPROBE_RETURN_IF_ERROR(CheckRole(request.user().role()));
  MOEPROBE_ASSIGN_OR_RETURN(const Admission admission, AdmissionOf(request));
  MOEPROBE_ASSIGN_OR_RETURN(
      const AdmittedUser added,
      users_->Add(name, request.user().role() == v1::ROLE_ADMIN, admission));
  CrashPoint("user-stored-not-told");
  v1::CreateUserResponse response;
  MOEPROBE_ASSIGN_OR_RETURN(*response.mutable_user(), WithShare(added.user));
  response.set_token(added.token);
  return response;
}

absl::StatusOr<v1::RenewUserResponse> UserOperations::Renew(
    const Caller& caller, const v1::RenewUserRequest& request) {
  MOEPROBE_RETURN_IF_ERROR(CheckIsAdmin(caller));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name,
                            ParseUserName(request.name()));
  MOEPROBE_ASSIGN_OR_RETURN(const Admission admission, AdmissionOf(request));
  MOEPROBE_ASSIGN_OR_RETURN(const AdmittedUser renewed,
                            users_->Renew(name, admission));
  v1::RenewUserResponse response;
  MOEPROBE_ASSIGN_OR_RETURN(*response.mutable_user(), WithShare(renewed.user));
  response.set_token(renewed.token);
  return response;
}

absl::StatusOr<v1::User> UserOperations::Revoke(const Caller& caller,
                                                const std::string& name) {
  MOEPROBE_RETURN_IF_ERROR(CheckIsAdmin(caller));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string user, ParseUserName(name));
  MOEPROBE_ASSIGN_OR_RETURN(const UserRow revoked, users_->Revoke(user));
  return WithShare(revoked);
}

absl::StatusOr<v1::User> UserOperations::SetWeight(
    const Caller& caller, const v1::SetUserWeightRequest& request) {
  MOEPROBE_RETURN_IF_ERROR(CheckIsAdmin(caller));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name,
                            ParseUserName(request.name()));
  const std::optional<UserRow> user = users_->Find(name);
  if (!user) {
    return absl::NotFoundError(
        absl::StrCat("there is no user ", name,
                     "; an account of the machine is made one by "
                     "user add ",
                     name, " --without-token"));
  }
  const bool fits =
      request.weight() >= kLeastWeight && request.weight() <= kMostWeight;
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "weight: ", request.weight(), " is out of range, expected ",
        kLeastWeight, " to ", kMostWeight));
  }
  MOEPROBE_RETURN_IF_ERROR(shares_->SetWeight(name, request.weight()));
  return WithShare(*user);
}

absl::StatusOr<v1::ListUsersResponse> UserOperations::List(
    const Caller& caller, const v1::ListUsersRequest& request) {
  MOEPROBE_RETURN_IF_ERROR(CheckIsAdmin(caller));
  MOEPROBE_ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string after,
                            ParsePageToken(kListMethod, request.page_token()));
  MOEPROBE_ASSIGN_OR_RETURN(auto shares, shares_->All());
  v1::ListUsersResponse response;
  std::string last;
  for (const UserRow& user : users_->List()) {
    if (user.name <= after) continue;
    if (response.users_size() == size) {
      response.set_next_page_token(PageToken(kListMethod, last));
      break;
    }
    *response.add_users() = ToMessage(user, shares[user.name]);
    last = user.name;
  }
  return response;
}

}  // namespace moeprobe
