#ifndef MOEPROBE_CLIENT_COMMAND_LINE_H_
#define MOEPROBE_CLIENT_COMMAND_LINE_H_

#include <functional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "client/commands/session.h"
#include "client/service/connection_files.h"

namespace moeprobe {

// What a command line asks for.
struct CommandLine {
  std::string server;     // address
  ConnectionFiles files;  // how to reach it
  std::string program;    // how to call this program again for the same server
  std::function<absl::Status(Session&)> command;
};

// Reads the command line. Where there is nothing to run (--help, or an error,
// which are printed), returns the exit status instead.
std::variant<CommandLine, int> ParseCommandLine(int argc, char** argv);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMAND_LINE_H_
