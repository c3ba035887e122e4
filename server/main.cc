#include <grpc/grpc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <system_error>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/default_address.h"
#include "server/commands/store_commands.h"
#include "server/log.h"
#include "server/server.h"
#include "server/stop_signals.h"

namespace moeprobe {
namespace {

// $XDG_DATA_HOME/moeprobe, or ~/.local/share/moeprobe.
std::string DefaultDataDirectory() {
  const char* data_home = std::getenv("XDG_DATA_HOME");
  if (data_home != nullptr && data_home[0] != '\0') {
    return absl::StrCat(data_home, "/moeprobe");
  }
  const char* home = std::getenv("HOME");
  return absl::StrCat(home != nullptr ? home : "/tmp",
                      "/.local/share/moeprobe");
}

std::filesystem::path WorkerBesideThis() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored)
             .parent_path() /
         "moeprobe-worker";
}

int CoreCount() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Where workers have more threads than there are cores, those that wait for
// others must not keep a core busy. Workers inherit the environment.
void LetWaitingThreadsSleep(const ServerOptions& options) {
  if (options.worker_count * options.threads_per_worker <= CoreCount()) return;
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*replace=*/0);
}

// What operators watch and how the server ends.
struct OperatorOptions {
  LogFormat log_format = LogFormat::kText;
  int drain_seconds = 20;
  int lease_seconds = 60;
};

void AddOperatorOptions(CLI::App& app, ServerOptions& options,
                        OperatorOptions& operators) {
  app.set_config(
      "--config", "",
      "File with these options, one NAME = VALUE a line; the command "
      "line comes first");
  app.add_option("--metrics", options.metrics_address,
                 "Show Prometheus metrics at http://HOST:PORT/metrics, on a "
                 "loopback address (default: nowhere)");
  app.add_option("--log-format", operators.log_format,
                 "Lines of the log, on standard error")
      ->transform(CLI::CheckedTransformer(std::map<std::string, LogFormat>{
          {"text", LogFormat::kText}, {"json", LogFormat::kJson}}))
      ->type_name("text|json")
      ->default_str("text");
  app.add_option("--drain-seconds", operators.drain_seconds,
                 "When stopped, how long to wait for workers to reach the next "
                 "layer or training step, from which their jobs go on later")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_option("--lease-seconds", operators.lease_seconds,
                 "How long a worker may hold a job without a word; then it is "
                 "killed and the job tried again")
      ->check(CLI::Range(3, 86'400))
      ->capture_default_str();
}

int ExitStatus(const absl::Status& status) {
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "moeprobe-server: " << status.message() << "\n";
  return EXIT_FAILURE;
}

int Serve(const ServerOptions& options) {
  // Nobody else reads what the server writes.
  umask(S_IRWXG | S_IRWXO);
  std::signal(SIGPIPE, SIG_IGN);
  if (!CatchStopSignals()) {
    std::cerr << "moeprobe-server: cannot catch signals\n";
    return EXIT_FAILURE;
  }
  const auto server = Server::Start(options);
  if (!server.ok()) {
    std::cerr << "moeprobe-server: " << server.status().message() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << "listening on " << (*server)->address() << '\n' << std::flush;
  LogInfo(absl::StrCat("signal ", WaitForStopSignal(), ": stopping"));
  (*server)->Stop();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace moeprobe

// Only a wrong declaration of an option could throw past main.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  moeprobe::ServerOptions options;
  options.data_directory = moeprobe::DefaultDataDirectory();
  options.address = moeprobe::DefaultAddress();
  options.worker_binary = moeprobe::WorkerBesideThis();
  options.threads_per_worker = 0;

  CLI::App app("Serves analyses of Mixture-of-Experts language models.");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_option("--data-dir", options.data_directory,
                 "Where jobs and results are kept")
      ->capture_default_str();
  app.add_option("--model-root", options.model_roots,
                 "A directory with models; may be given again");
  app.add_option("--listen", options.address,
                 "unix:PATH, or HOST:PORT on a loopback address")
      ->capture_default_str();
  app.add_option("--workers", options.worker_count,
                 "Worker processes; 0: they are started by hand")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("--threads", options.threads_per_worker,
                 "Threads of each worker, on which the last bits of results "
                 "depend (default: as many as cores, for any --workers)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--hidden-state-bytes", options.hidden_state_bytes,
                 "Disk for hidden states that later jobs on the same text "
                 "start from, such as 8GiB; 0: none")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->default_str("8GiB");
  app.add_option("--worker-binary", options.worker_binary,
                 "Program of the workers")
      ->capture_default_str();
  moeprobe::OperatorOptions operators;
  moeprobe::AddOperatorOptions(app, options, operators);
  std::function<absl::Status()> command;
  moeprobe::AddStoreCommands(app, options.data_directory, command);
  try {
    app.parse(argc, argv);
    if (!command && options.model_roots.empty()) {
      throw CLI::RequiredError("--model-root");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (command) return moeprobe::ExitStatus(command());
  options.drain_patience = std::chrono::seconds(operators.drain_seconds);
  options.lease = std::chrono::seconds(operators.lease_seconds);
  if (options.threads_per_worker == 0) {
    options.threads_per_worker = moeprobe::CoreCount();
  }
  moeprobe::LetWaitingThreadsSleep(options);
  moeprobe::StartLog(operators.log_format);
  return moeprobe::Serve(options);
}
