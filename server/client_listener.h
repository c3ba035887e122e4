#ifndef MOEPROBE_SERVER_CLIENT_LISTENER_H_
#define MOEPROBE_SERVER_CLIENT_LISTENER_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/access/tls_files.h"
#include "server/listener.h"
#include "server/metrics/call_metrics.h"
#include "server/service_set.h"

namespace moeprobe {

// Who may connect, and who those are who bring no proof.
struct ListenOptions {
  // Of Unix sockets: 0600, the account of the server alone; 0660 its group,
  // too; 0666 every account of the machine.
  mode_t socket_mode = 0600;
  // Of ports; nullopt: nothing is encrypted.
  std::optional<TlsFiles> tls = {};
  // Calls at loopback ports that bring no token are refused, too.
  bool require_token = false;
  // Tokens and results may go over the network as they are.
  bool allow_unencrypted_network = false;
};

// Listens for users at `address`. `metrics`, which must outlive the listener,
// hears of every call.
//
// Errors: those of CheckListenAddress and TlsCredentials; InvalidArgument for a
// port that other machines reach where nothing is encrypted and nobody said
// that this is meant; Unavailable if the system says no.
absl::StatusOr<std::unique_ptr<Listener>> ListenForClients(
    const std::string& address, const ListenOptions& options,
    const MakeServices& make_services, CallMetrics* metrics);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_CLIENT_LISTENER_H_
