#ifndef MOEPROBE_SERVER_ISOLATION_NETWORK_WALL_H_
#define MOEPROBE_SERVER_ISOLATION_NETWORK_WALL_H_

#include "absl/status/status.h"

namespace moeprobe {

// Whether this kernel can forbid a process to make sockets: it filters system
// calls (seccomp), and the processor is one whose calls are known here.
bool CanForbidSockets();

// Forbids this process and all that it starts to make sockets, for good: of the
// network, and of this machine, where Unix sockets with a path lead to its
// services. That fails with EACCES. Sockets that are there stay; connected ones
// of streams lead nowhere else. io_uring, which makes sockets beside system
// calls, fails with ENOSYS, and all calls of other architectures than the
// program's fail with EPERM. Threads that run already are not kept from
// anything.
//
// Unimplemented where CanForbidSockets() is false; otherwise what the system
// says.
absl::Status ForbidSockets();

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ISOLATION_NETWORK_WALL_H_
