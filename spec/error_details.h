#ifndef MOEPROBE_SPEC_ERROR_DETAILS_H_
#define MOEPROBE_SPEC_ERROR_DETAILS_H_

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace moeprobe {

// Returns after how long to try again what ended with such details, the bytes
// of a google.rpc.Status (v1::ErrorStatus), or nullopt if they do not say it.
std::optional<absl::Duration> RetryDelayIn(const std::string& details);

// Returns what a call ended with; where its details say when to try again,
// RetryDelayOf() does, too.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace moeprobe

#endif  // MOEPROBE_SPEC_ERROR_DETAILS_H_
