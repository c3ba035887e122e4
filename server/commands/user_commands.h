#ifndef MOEPROBE_SERVER_COMMANDS_USER_COMMANDS_H_
#define MOEPROBE_SERVER_COMMANDS_USER_COMMANDS_H_

#include <CLI/App.hpp>
#include <filesystem>
#include <functional>

#include "absl/status/status.h"

namespace moeprobe {

// Adds `user add|renew|revoke|weight|list`, which ask the server that runs on
// `data_directory`, over its socket for admins. The command that was given is
// put into `run`. Both must outlive the parser.
void AddUserCommands(CLI::App& app, const std::filesystem::path& data_directory,
                     std::function<absl::Status()>& run);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_USER_COMMANDS_H_
