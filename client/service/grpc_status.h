#ifndef MOEPROBE_CLIENT_SERVICE_GRPC_STATUS_H_
#define MOEPROBE_CLIENT_SERVICE_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace moeprobe {

// Returns what a call ended with, as an absl::Status of the same code. If the
// server knows when to try again, the message says so at its end, and
// RetryDelayOf() tells.
absl::Status ToAbslStatus(const grpc::Status& status);

// Returns `status`; if it is Unavailable and nobody answered, with words that
// say where, which gRPC's own leave out.
absl::Status WithAddress(const absl::Status& status,
                         const std::string& address);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_GRPC_STATUS_H_
