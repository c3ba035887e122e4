#ifndef MOEPROBE_SERVER_ISOLATION_NETWORK_WALL_H_
#define MOEPROBE_SERVER_ISOLATION_NETWORK_WALL_H_

#include "absl/status/status.h"

namespace moeprobe {

// Whether this kernel can forbid a process the network: it filters system calls
// (seccomp), and the processor is one whose calls are known here.
bool CanForbidNetwork();

// Forbids this process and all that it starts every socket but Unix ones, for
// good: to make another fails with EAFNOSUPPORT, as on a machine without a
// network. Sockets that are there stay. io_uring, which makes sockets beside
// system calls, fails with ENOSYS, and so do all calls of other architectures
// than the program's. Threads that run already are not kept from anything.
//
// Unimplemented where CanForbidNetwork() is false; otherwise what the system
// says.
absl::Status ForbidNetwork();

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ISOLATION_NETWORK_WALL_H_
