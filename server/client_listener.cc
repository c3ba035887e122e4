#include "server/client_listener.h"

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/loopback.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "server/access/tls_files.h"
#include "server/listen_address.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/metrics/call_metrics.h"
#include "server/peer_listener.h"
#include "server/port_listener.h"
#include "server/service_set.h"

namespace moeprobe {
namespace {

// Calls at work at the same time, at a port or of one user of a socket; watches
// take no thread. Most of them wait for the disk, together.
constexpr int kThreads = 256;

absl::Status CheckEncryption(const std::string& address,
                             const ListenOptions& options) {
  if (options.tls || options.allow_unencrypted_network || IsLoopback(address)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "address ", Quoted(address),
      " can be reached from other machines, and nothing is encrypted: give "
      "--tls-cert and --tls-key, or say --allow-unencrypted-network if "
      "everybody on the network may read tokens and results"));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsFor(
    const ListenOptions& options) {
  if (options.tls) return TlsCredentials(*options.tls);
  return grpc::InsecureServerCredentials();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenForClients(
    const std::string& address, const ListenOptions& options,
    const MakeServices& make_services, CallMetrics* metrics) {
  MOEPROBE_RETURN_IF_ERROR(CheckListenAddress(address));
  if (const auto path = SocketPath(address)) {
    return PeerListener::Start(*path, options.socket_mode, kThreads,
                               make_services, metrics);
  }
  MOEPROBE_RETURN_IF_ERROR(CheckEncryption(address, options));
  MOEPROBE_ASSIGN_OR_RETURN(const auto credentials, CredentialsFor(options));
  const bool is_trusted =
      IsLoopback(address) && !options.require_token && !options.tls;
  if (is_trusted) {
    LogInfo(absl::StrCat(address,
                         ": every account of this machine that brings "
                         "no token is the server's own user; "
                         "--require-token asks for one"));
  }
  return PortListener::Start(address, credentials, kThreads,
                             make_services({.is_trusted = is_trusted}),
                             metrics);
}

}  // namespace moeprobe
