#ifndef MOEPROBE_SERVER_COMMANDS_DURATION_OPTION_H_
#define MOEPROBE_SERVER_COMMANDS_DURATION_OPTION_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

namespace moeprobe {

// Adds an option such as --expires 90d, which goes into `seconds`.
CLI::Option* AddDuration(CLI::App& command, const std::string& name,
                         int64_t& seconds, const std::string& description);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_DURATION_OPTION_H_
