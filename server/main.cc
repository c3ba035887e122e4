#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>

#include "absl/status/status.h"
#include "core/base/crash_point.h"
#include "server/commands/cert_commands.h"
#include "server/commands/serve.h"
#include "server/commands/store_commands.h"
#include "server/commands/user_commands.h"

namespace moeprobe {
namespace {

int ExitStatus(const absl::Status& status) {
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "moeprobe-server: " << status.message() << "\n";
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace moeprobe

// Only a wrong declaration of an option could throw past main.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  // Nobody else reads what the server, or a command, writes.
  umask(S_IRWXG | S_IRWXO);
  const absl::Status armed = moeprobe::ArmCrashPoint();
  if (!armed.ok()) return moeprobe::ExitStatus(armed);
  CLI::App app("Serves analyses of Mixture-of-Experts language models.",
               "moeprobe-server");
  app.require_subcommand(0, 1);
  app.fallthrough();
  moeprobe::ServeOptions options;
  std::function<absl::Status()> command;
  app.add_option("--data-dir", options.server.data_directory,
                 "Where jobs and results are kept")
      ->capture_default_str();
  moeprobe::AddServeOptions(app, options);
  moeprobe::AddUserCommands(app, options.server.data_directory, command);
  moeprobe::AddCertCommands(app, command);
  moeprobe::AddStoreCommands(app, options.server.data_directory, command);
  try {
    app.parse(argc, argv);
    if (!command && options.server.model_roots.empty()) {
      throw CLI::RequiredError("--model-root");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (command) return moeprobe::ExitStatus(command());
  return moeprobe::Serve(options);
}
