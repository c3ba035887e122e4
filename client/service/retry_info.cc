#include "client/service/retry_info.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
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

std::string RoughText(absl::Duration delay) {
  const int64_t seconds = absl::ToInt64Seconds(delay);
  const auto in = [&](int64_t unit) { return (seconds + unit / 2) / unit; };
  if (in(1) < 100) return absl::StrCat(in(1), " s");
  if (in(60) < 100) return absl::StrCat(in(60), " min");
  if (in(3600) < 100) return absl::StrCat(in(3600), " h");
  return absl::StrCat(in(86'400), " days");
}

}  // namespace moeprobe
