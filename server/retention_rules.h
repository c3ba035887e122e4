#ifndef MOEPROBE_SERVER_RETENTION_RULES_H_
#define MOEPROBE_SERVER_RETENTION_RULES_H_

#include <cstdint>

#include "absl/time/time.h"

namespace moeprobe {

// How long results are stored, and how much of them.
struct RetentionRules {
  absl::Duration age = absl::InfiniteDuration();  // of what nobody keeps
  int64_t bytes = 0;  // of all arrays and models; 0: any amount
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RETENTION_RULES_H_
