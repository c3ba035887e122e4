#include "core/base/retry_delay.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"

namespace moeprobe {
namespace {

constexpr const char* kPayload = "moeprobe/retry-delay";

}  // namespace

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  const absl::Duration whole =
      std::max(absl::Seconds(1), absl::Ceil(delay, absl::Seconds(1)));
  status.SetPayload(kPayload, absl::Cord(absl::FormatDuration(whole)));
  return status;
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  absl::Duration delay;
  if (!payload || !absl::ParseDuration(std::string(*payload), &delay)) {
    return std::nullopt;
  }
  return delay;
}

}  // namespace moeprobe
