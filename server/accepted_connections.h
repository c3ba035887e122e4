#ifndef MOEPROBE_SERVER_ACCEPTED_CONNECTIONS_H_
#define MOEPROBE_SERVER_ACCEPTED_CONNECTIONS_H_

#include <string>

namespace moeprobe {

// Shuts down every connection that this process has accepted at `address`,
// unix:PATH or HOST:PORT as it listens there, and returns how many. The
// descriptors stay open, the listening socket stays as it is.
//
// A write to a peer that has stopped reading ends only this way: gRPC 1.51
// closes a connection once its last write has ended.
int ShutDownAcceptedConnections(const std::string& address);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCEPTED_CONNECTIONS_H_
