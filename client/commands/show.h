#ifndef MOEPROBE_CLIENT_COMMANDS_SHOW_H_
#define MOEPROBE_CLIENT_COMMANDS_SHOW_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// The command `show JOB`: its state, what there is to know about it, and the
// table of means as far as there is a result.
absl::Status Show(Session& session, const std::string& job, bool json);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SHOW_H_
