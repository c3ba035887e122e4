#ifndef MOEPROBE_SERVER_COMMANDS_STORE_COMMANDS_H_
#define MOEPROBE_SERVER_COMMANDS_STORE_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>

#include "absl/status/status.h"

namespace moeprobe {

// Adds `backup`, `restore` and `doctor`, which work on `data_directory`; the
// one that is given becomes `command`. Both must outlive the parsing.
void AddStoreCommands(CLI::App& app,
                      const std::filesystem::path& data_directory,
                      std::function<absl::Status()>& command);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_STORE_COMMANDS_H_
