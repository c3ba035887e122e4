#include "server/access/authenticator.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/string_ref.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "server/access/caller.h"
#include "server/access/token.h"
#include "server/access/user_directory.h"
#include "storage/user_store.h"

namespace moeprobe {
namespace {

constexpr const char* kAuthorization = "authorization";
constexpr std::string_view kScheme = "Bearer ";

constexpr const char* kAskForToken =
    "an admin of this server makes one with moeprobe-server user add";

std::string CommonName(const grpc::ServerContextBase& context) {
  const auto connection = context.auth_context();
  if (connection == nullptr || !connection->IsPeerAuthenticated()) return "";
  const auto names = connection->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  return names.size() == 1 ? std::string(names[0].data(), names[0].size()) : "";
}

}  // namespace

Credentials CredentialsOf(const grpc::ServerContextBase& context,
                          const Origin& origin) {
  Credentials credentials{.origin = origin,
                          .certificate = CommonName(context),
                          .authorization = {}};
  const auto [first, last] =
      context.client_metadata().equal_range(kAuthorization);
  for (auto entry = first; entry != last; ++entry) {
    credentials.authorization.emplace_back(entry->second.data(),
                                           entry->second.size());
  }
  return credentials;
}

absl::StatusOr<Caller> Authenticator::OfToken(
    const std::vector<std::string>& authorization) const {
  const std::string_view value = authorization[0];
  if (authorization.size() > 1 || !value.starts_with(kScheme)) {
    return absl::UnauthenticatedError(
        "authorization: expected one value, Bearer and a token");
  }
  const std::string token(value.substr(kScheme.size()));
  const auto id = TokenId(token);
  const auto user = id ? users_->FindByTokenId(*id) : std::nullopt;
  if (!user || !user->token || !Matches(token, *user->token)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the server does not know this token; ", kAskForToken));
  }
  MOEPROBE_RETURN_IF_ERROR(CheckAdmission(*user, absl::Now()));
  return Caller{
      .user = user->name, .is_admin = user->is_admin, .proof = Proof::kToken};
}

absl::StatusOr<Caller> Authenticator::OfCertificate(
    const std::string& name) const {
  const auto user = users_->Find(name);
  if (!user) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the certificate is that of ", Quoted(name),
        ", whom the server does not know; an admin adds users with "
        "moeprobe-server user add"));
  }
  MOEPROBE_RETURN_IF_ERROR(CheckAdmission(*user, absl::Now()));
  return Caller{
      .user = name, .is_admin = user->is_admin, .proof = Proof::kCertificate};
}

absl::StatusOr<Caller> Authenticator::OfPeer(const Peer& peer) const {
  Caller caller{.user = peer.user, .proof = Proof::kPeer};
  caller.is_admin = peer.uid == 0 || peer.uid == own_.uid;
  if (caller.is_admin) return caller;
  if (const auto user = users_->Find(peer.user)) {
    MOEPROBE_RETURN_IF_ERROR(CheckAdmission(*user, absl::Now()));
    caller.is_admin = user->is_admin;
  }
  return caller;
}

absl::StatusOr<Caller> Authenticator::Authenticate(
    const Credentials& credentials) const {
  if (!credentials.authorization.empty()) {
    return OfToken(credentials.authorization);
  }
  if (!credentials.certificate.empty()) {
    return OfCertificate(credentials.certificate);
  }
  if (credentials.origin.peer) return OfPeer(*credentials.origin.peer);
  if (credentials.origin.is_trusted) {
    return Caller{.user = own_.user, .proof = Proof::kLoopback};
  }
  return absl::UnauthenticatedError(absl::StrCat(
      "the server asks for a token: name its file with --token-file or in "
      "MOEPROBE_TOKEN_FILE; ",
      kAskForToken));
}

}  // namespace moeprobe
