#ifndef MOEPROBE_CLIENT_COMMANDS_LISTS_H_
#define MOEPROBE_CLIENT_COMMANDS_LISTS_H_

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// The commands that list what a server has, as a table or as JSON.

absl::Status ListJobs(Session& session, bool json);
absl::Status ListModels(Session& session, bool json);
absl::Status ListDatasets(Session& session, bool json);

// The command `info`: what the server is.
absl::Status ShowServer(Session& session, bool json);

// The command `whoami`: who the user is to the server.
absl::Status ShowCaller(Session& session, bool json);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_LISTS_H_
