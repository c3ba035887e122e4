#ifndef MOEPROBE_SERVER_GRPC_STATUS_H_
#define MOEPROBE_SERVER_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// The one place where a status leaves the program. Long messages are cut: they
// travel in headers, whose size is limited. All are one printable line,
// whatever a path in them has. When to try again, if that is known
// (RetryDelayOf), goes with it as v1::ErrorStatus.
grpc::Status ToGrpc(const absl::Status& status);

// Moves the value of `result` into `response`, or returns its status.
template <typename T>
grpc::Status Answer(absl::StatusOr<T> result, T* response) {
  if (!result.ok()) return ToGrpc(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_GRPC_STATUS_H_
