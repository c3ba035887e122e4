#include "client/service/grpc_status.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/service/retry_info.h"
#include "core/base/retry_delay.h"
#include "spec/error_details.h"

namespace moeprobe {

absl::Status ToAbslStatus(const grpc::Status& status) {
  absl::Status error = FromGrpc(status);
  const auto delay = RetryDelayOf(error);
  if (!delay) return error;
  const std::string message = absl::StrCat(
      status.error_message(), "; try again in about ", RoughText(*delay));
  return WithRetryDelay({error.code(), message}, *delay);
}

absl::Status WithAddress(const absl::Status& status,
                         const std::string& address) {
  if (!absl::IsUnavailable(status) || RetryDelayOf(status)) return status;
  return absl::UnavailableError(absl::StrCat(
      "no moeprobe-server answers at ", address, " (",
      std::string(status.message()),
      "); start one, or name another with --server or MOEPROBE_SERVER"));
}

}  // namespace moeprobe
