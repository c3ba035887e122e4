#ifndef MOEPROBE_CLIENT_COMMANDS_CHANGE_JOB_H_
#define MOEPROBE_CLIENT_COMMANDS_CHANGE_JOB_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// The command `cancel JOB`: asks the job to stop and prints its state.
absl::Status CancelJob(Session& session, const std::string& job);

// The command `keep JOB`: the server does not drop its results.
absl::Status KeepJob(Session& session, const std::string& job);

// The command `unkeep JOB`.
absl::Status UnkeepJob(Session& session, const std::string& job);

// The command `delete JOB`.
absl::Status DeleteJob(Session& session, const std::string& job);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_CHANGE_JOB_H_
