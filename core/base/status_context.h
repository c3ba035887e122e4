#ifndef MOEPROBE_CORE_BASE_STATUS_CONTEXT_H_
#define MOEPROBE_CORE_BASE_STATUS_CONTEXT_H_

#include <string_view>

#include "absl/status/status.h"

namespace moeprobe {

// Returns `status` with "`where`: " in front of its message, and what is beside
// it as it was; OK stays OK.
absl::Status WithContext(const absl::Status& status, std::string_view where);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_STATUS_CONTEXT_H_
