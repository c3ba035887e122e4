#include "spec/error_details.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/time_util.h>

#include <optional>
#include <string>

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

}  // namespace moeprobe
