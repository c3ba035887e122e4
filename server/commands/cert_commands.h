#ifndef MOEPROBE_SERVER_COMMANDS_CERT_COMMANDS_H_
#define MOEPROBE_SERVER_COMMANDS_CERT_COMMANDS_H_

#include <CLI/App.hpp>
#include <functional>

#include "absl/status/status.h"

namespace moeprobe {

// Adds `cert ca|server|client`, which make files for TLS. The command that was
// given is put into `run`, which must outlive the parser.
void AddCertCommands(CLI::App& app, std::function<absl::Status()>& run);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_CERT_COMMANDS_H_
