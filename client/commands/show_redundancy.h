#ifndef MOEPROBE_CLIENT_COMMANDS_SHOW_REDUNDANCY_H_
#define MOEPROBE_CLIENT_COMMANDS_SHOW_REDUNDANCY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// What of a redundancy report to show.
struct RedundancyView {
  std::string job;
  std::optional<int64_t> layer;  // nothing: every layer
  int64_t top = 20;              // pairs a layer
  bool json = false;
};

// The command `redundancy JOB`: pairs of experts, the closest in function
// first. FailedPrecondition if the job has no such report, or not of the layer.
absl::Status ShowRedundancy(Session& session, const RedundancyView& view);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SHOW_REDUNDANCY_H_
