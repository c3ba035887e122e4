#include "client/service/grpc_status.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {

absl::Status ToAbslStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return {static_cast<absl::StatusCode>(status.error_code()),
          status.error_message()};
}

absl::Status WithAddress(const absl::Status& status,
                         const std::string& address) {
  if (!absl::IsUnavailable(status)) return status;
  return absl::UnavailableError(absl::StrCat(
      "no moeprobe-server answers at ", address, " (",
      std::string(status.message()),
      "); start one, or name another with --server or MOEPROBE_SERVER"));
}

}  // namespace moeprobe
