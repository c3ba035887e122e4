#ifndef MOEPROBE_CLIENT_COMMANDS_CHANGE_MODEL_H_
#define MOEPROBE_CLIENT_COMMANDS_CHANGE_MODEL_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// Loads, unloads, pins or unpins a model, `action` says which, and prints what
// is in memory then. "load" and "pin" return while the server still reads.
absl::Status ChangeModel(Session& session, const std::string& action,
                         const std::string& model);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_CHANGE_MODEL_H_
