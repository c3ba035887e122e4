#ifndef MOEPROBE_CLIENT_COMMANDS_WATCH_H_
#define MOEPROBE_CLIENT_COMMANDS_WATCH_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"

namespace moeprobe {

// Shows a job's progress on `screen` until it ends. OK if it succeeded; Aborted
// with the reason if not; Cancelled, with the command that takes it up again,
// if interrupted.
absl::Status Follow(Session& session, Screen& screen,
                    const std::string& job_name);

// The command `watch JOB`.
absl::Status Watch(Session& session, const std::string& job);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_WATCH_H_
