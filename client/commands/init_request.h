#ifndef MOEPROBE_CLIENT_COMMANDS_INIT_REQUEST_H_
#define MOEPROBE_CLIENT_COMMANDS_INIT_REQUEST_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// The command `init MODEL`: prints a request file to begin with. `model` is a
// model of the server, or a directory whose name one has. NotFound, with the
// name that was probably meant, for any other; FailedPrecondition for a model
// that cannot be analysed.
absl::Status InitRequest(Session& session, const std::string& model);

// The command `init --train TEXT`: the same of an experiment on `text`.
absl::Status InitExperiment(Session& session, const std::string& text);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_INIT_REQUEST_H_
