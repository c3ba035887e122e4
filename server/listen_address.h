#ifndef MOEPROBE_SERVER_LISTEN_ADDRESS_H_
#define MOEPROBE_SERVER_LISTEN_ADDRESS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"

namespace moeprobe {

// OK if a server can listen on `address`: unix:PATH with a path that fits and
// that no other process listens on, or HOST:PORT.
absl::Status CheckListenAddress(const std::string& address);

// OK if `address` is HOST:PORT and HOST is localhost or a loopback address.
absl::Status CheckLoopbackAddress(const std::string& address);

// The path in unix:PATH; nullopt for another address.
std::optional<std::string> SocketPath(const std::string& address);

// Returns `address` with the port that was chosen for port 0.
std::string WithPort(const std::string& address, int port);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LISTEN_ADDRESS_H_
