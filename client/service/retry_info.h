#ifndef MOEPROBE_CLIENT_SERVICE_RETRY_INFO_H_
#define MOEPROBE_CLIENT_SERVICE_RETRY_INFO_H_

#include <optional>
#include <string>

#include "absl/time/time.h"

namespace moeprobe {

// Returns after how long to try again what ended with such details, the bytes
// of a google.rpc.Status (v1::ErrorStatus), or nullopt if they do not say it.
std::optional<absl::Duration> RetryDelayIn(const std::string& details);

// Returns "30 s", "5 min", "7 h" or "3 days": rounded to the unit that leaves a
// number below 100.
std::string RoughText(absl::Duration delay);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_RETRY_INFO_H_
