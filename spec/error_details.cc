#include "spec/error_details.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/retry_delay.h"
#include "moeprobe/v1/error_details.pb.h"

namespace moeprobe {
namespace {

using google::protobuf::util::TimeUtil;

}  // namespace

std::optional<absl::Duration> RetryDelayIn(const std::string& details) {
  v1::ErrorStatus status;
  if (!status.ParseFromString(details)) return std::nullopt;
  for (const google::protobuf::Any& detail : status.details()) {
    v1::RetryDelay retry;
    if (detail.type_url() == kRetryInfoUrl &&
        retry.ParseFromString(detail.value()) && retry.has_retry_delay()) {
      return absl::Seconds(TimeUtil::DurationToSeconds(retry.retry_delay()));
    }
  }
  return std::nullopt;
}

absl::Status FromGrpc(const grpc::Status& status) {
  // The two code enumerations have the same values.
  const absl::Status result(static_cast<absl::StatusCode>(status.error_code()),
                            status.error_message());
  const auto delay = RetryDelayIn(status.error_details());
  return delay ? WithRetryDelay(result, *delay) : result;
}

}  // namespace moeprobe
