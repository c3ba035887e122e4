#ifndef MOEPROBE_CORE_BASE_RETRY_DELAY_H_
#define MOEPROBE_CORE_BASE_RETRY_DELAY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace moeprobe {

// By this a client knows, among what an error carries, when to try again.
inline constexpr const char* kRetryInfoUrl =
    "type.googleapis.com/google.rpc.RetryInfo";

// Returns `status`, an error, with a word on when to try again: the same may
// work after `delay`, and hardly sooner. Rounded up to whole seconds, at least
// one.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// Returns what WithRetryDelay() said of `status`, or nullopt: then nobody
// knows.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_RETRY_DELAY_H_
