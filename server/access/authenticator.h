#ifndef MOEPROBE_SERVER_ACCESS_AUTHENTICATOR_H_
#define MOEPROBE_SERVER_ACCESS_AUTHENTICATOR_H_

#include <grpcpp/server_context.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"

namespace moeprobe {

// What a call brings to say who makes it.
struct Credentials {
  Origin origin;
  std::string certificate = {};                 // its common name; empty: none
  std::vector<std::string> authorization = {};  // values of that metadata
};

// The one place that reads them off a call.
Credentials CredentialsOf(const grpc::ServerContextBase& context,
                          const Origin& origin);

// Says who makes a call: whose token it brings; else whom the certificate of
// its connection names; else who is at the other end of its Unix socket; else,
// at a port that trusts whoever reaches it, the server's own user. Tokens and
// certificates are for users who were made known to the server. On a Unix
// socket, root and the account of the server are admins, and others are let in
// unless they were revoked. Thread-safe.
class Authenticator {
 public:
  // `users` must outlive the object. `own`: the account of the server.
  Authenticator(UserDirectory* users, Peer own)
      : users_(users), own_(std::move(own)) {}

  // Unauthenticated, with what to do, where nothing says who calls, or what
  // does is not, or no longer, good: a call that goes on is asked again.
  absl::StatusOr<Caller> Authenticate(const Credentials& credentials) const;

 private:
  absl::StatusOr<Caller> OfToken(
      const std::vector<std::string>& authorization) const;
  absl::StatusOr<Caller> OfCertificate(const std::string& name) const;
  absl::StatusOr<Caller> OfPeer(const Peer& peer) const;

  UserDirectory* users_;
  Peer own_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_AUTHENTICATOR_H_
