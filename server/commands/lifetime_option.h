#ifndef MOEPROBE_SERVER_COMMANDS_LIFETIME_OPTION_H_
#define MOEPROBE_SERVER_COMMANDS_LIFETIME_OPTION_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

namespace moeprobe {

// Adds --expires, such as 90d, which goes into `seconds`.
CLI::Option* AddLifetime(CLI::App& command, int64_t& seconds,
                         const std::string& description);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_LIFETIME_OPTION_H_
