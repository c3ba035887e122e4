#ifndef MOEPROBE_CLIENT_SERVICE_RETRY_INFO_H_
#define MOEPROBE_CLIENT_SERVICE_RETRY_INFO_H_

#include <string>

#include "absl/time/time.h"

namespace moeprobe {

// Returns "30 s", "5 min", "7 h" or "3 days": rounded to the unit that leaves a
// number below 100.
std::string RoughText(absl::Duration delay);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_RETRY_INFO_H_
