#include "client/service/grpc_status.h"

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace moeprobe {

absl::Status ToAbslStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return {static_cast<absl::StatusCode>(status.error_code()),
          status.error_message()};
}

}  // namespace moeprobe
