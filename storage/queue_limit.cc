#include "storage/queue_limit.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace moeprobe {
namespace {

constexpr const char* kPayload = "moeprobe/queue-limit";
constexpr const char* kOfOwner = "owner";
constexpr const char* kOfAll = "all";

}  // namespace

absl::Status QueueIsFull(QueueLimit limit, const std::string& message) {
  absl::Status status = absl::ResourceExhaustedError(message);
  const char* whose = limit == QueueLimit::kOfOwner ? kOfOwner : kOfAll;
  status.SetPayload(kPayload, absl::Cord(whose));
  return status;
}

std::optional<QueueLimit> QueueLimitOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  if (!payload) return std::nullopt;
  return *payload == kOfOwner ? QueueLimit::kOfOwner : QueueLimit::kOfAll;
}

}  // namespace moeprobe
