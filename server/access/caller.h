#ifndef MOEPROBE_SERVER_ACCESS_CALLER_H_
#define MOEPROBE_SERVER_ACCESS_CALLER_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "storage/access.h"

namespace moeprobe {

// How the server knows who calls.
enum class Proof : std::uint8_t {
  kToken,
  kCertificate,
  kPeer,      // user id at the other end of a Unix socket
  kLoopback,  // none: whoever reaches the port is the server's own user
};

// "token", "certificate", "peer" or "loopback".
const char* NameOf(Proof proof);

// Who makes a call.
struct Caller {
  std::string user;
  bool is_admin = false;
  Proof proof = Proof::kLoopback;
};

// As what data they see.
Viewer ViewerOf(const Caller& caller);

// The process at the other end of a Unix socket.
struct Peer {
  uid_t uid = 0;
  std::string user;  // see UserOfUid
};

// Where a connection came in.
struct Origin {
  std::optional<Peer> peer = {};  // of a Unix socket
  // Calls without proof are the server's own user's.
  bool is_trusted = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_CALLER_H_
