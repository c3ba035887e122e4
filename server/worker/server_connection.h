#ifndef MOEPROBE_SERVER_WORKER_SERVER_CONNECTION_H_
#define MOEPROBE_SERVER_WORKER_SERVER_CONNECTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// Returns a worker's connection to its server: for unix:PATH one that is made
// now, for fd:N the one that this process was started with. A worker makes no
// socket later: the walls around it forbid it (ForbidSockets).
//
// Errors: InvalidArgument for another address, a path that is too long, or an
// open file that is not there; whatever the system says of the path.
absl::StatusOr<FileDescriptor> ConnectToServer(const std::string& address);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_SERVER_CONNECTION_H_
