#ifndef MOEPROBE_STORAGE_QUEUE_LIMIT_H_
#define MOEPROBE_STORAGE_QUEUE_LIMIT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace moeprobe {

// Whose jobs are as many in the queue as there may be.
enum class QueueLimit : std::uint8_t { kOfOwner, kOfAll };

// Returns ResourceExhausted with words, and with the limit beside them.
absl::Status QueueIsFull(QueueLimit limit, const std::string& message);

// Returns the limit that QueueIsFull() put beside an error, if any.
std::optional<QueueLimit> QueueLimitOf(const absl::Status& status);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_QUEUE_LIMIT_H_
