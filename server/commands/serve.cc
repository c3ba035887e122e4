#include "server/commands/serve.h"

#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/default_address.h"
#include "core/base/heap.h"
#include "core/base/machine_memory.h"
#include "core/base/memory_limit.h"
#include "server/client_listener.h"
#include "server/commands/duration_option.h"
#include "server/log.h"
#include "server/server.h"
#include "server/server_options.h"
#include "server/signals.h"
#include "storage/limits.h"

namespace moeprobe {
namespace {

constexpr int kOctal = 8;

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

// Leaves room for the kernel, the server, and pages of checkpoints.
constexpr int kBudgetPercent = 80;

MemoryBudget DefaultBudget() {
  const MemoryLimit limit = FindMemoryLimit();
  return {.bytes = limit.bytes / 100 * kBudgetPercent,
          .origin = absl::StrCat(kBudgetPercent, " % of ", limit.origin)};
}

void LogBudget(const MemoryBudget& budget) {
  LogInfo(budget.bytes == 0
              ? "memory: jobs may take any amount"
              : absl::StrCat("memory: jobs may take ", budget.bytes,
                             " bytes together, ", budget.origin));
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

void AddWorkerOptions(CLI::App& app, ServeOptions& options) {
  ServerOptions& server = options.server;
  app.add_option("--workers", server.worker_count,
                 "Worker processes; 0: they are started by hand")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("--threads", server.threads_per_worker,
                 "Threads of each worker, on which the last bits of results "
                 "depend (default: as many as cores, for any --workers)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--worker-memory", server.worker_memory_bytes,
                 "Memory that each worker may take, such as 64GiB, mapped "
                 "checkpoints left out; 0: no limit (default: as much as the "
                 "machine has)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true));
  app.add_option("--memory-budget", options.memory_budget,
                 "Memory that running jobs are expected to take together at "
                 "most, such as 64GiB; others wait; 0: any amount (default: "
                 "80 % of what the machine, or the control group of the "
                 "server, has)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--require-isolation", server.require_isolation,
               "Refuses to start where the kernel cannot keep workers from "
               "other files and from the network");
  app.add_option("--hidden-state-bytes", server.hidden_state_bytes,
                 "Disk for hidden states that later jobs on the same text "
                 "start from, such as 8GiB; 0: none")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->default_str("8GiB");
  app.add_option("--worker-binary", server.worker_binary,
                 "Program of the workers")
      ->capture_default_str();
}

// What operators watch and how the server ends.
void AddOperatorOptions(CLI::App& app, ServeOptions& options) {
  app.set_config(
      "--config", "",
      "File with these options, one NAME = VALUE a line; the command "
      "line comes first");
  app.add_option("--metrics", options.server.metrics_address,
                 "Show Prometheus metrics at http://HOST:PORT/metrics, on a "
                 "loopback address (default: nowhere)");
  app.add_option("--log-format", options.server.log_format,
                 "Lines of the log, on standard error")
      ->transform(CLI::CheckedTransformer(LogFormats()).description(""))
      ->type_name("text|json")
      ->default_str("text");
  app.add_option("--drain-seconds", options.drain_seconds,
                 "When stopped, how long to wait for workers to reach the next "
                 "layer or training step, from which their jobs go on later")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_option("--lease-seconds", options.lease_seconds,
                 "How long a worker may hold a job without a word; then it is "
                 "killed and the job tried again")
      ->check(CLI::Range(3, 86'400))
      ->capture_default_str();
  app.add_option("--stall-seconds", options.stall_seconds,
                 "How long a worker may tell nothing new of a job; then it is "
                 "killed and the job tried again")
      ->check(CLI::Range(1, 31'536'000))
      ->capture_default_str();
  app.add_option("--max-job-time", options.max_job_seconds,
                 "Seconds that a job may take from when a worker first took "
                 "it; then it fails (default: as long as it likes)")
      ->check(CLI::Range(1, 31'536'000));
}

// What users may bring.
void AddLimitOptions(CLI::App& app, Limits& limits) {
  const auto add = [&](const char* name, int64_t& limit,
                       const char* description) {
    return app.add_option(name, limit, description)
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
  };
  add("--max-queued-per-user", limits.queued_jobs_per_user,
      "Queued jobs of one user; 0: any number");
  add("--max-queued", limits.queued_jobs, "Queued jobs in all; 0: any number");
  add("--max-running-per-user", limits.running_jobs_per_user,
      "Workers that the jobs of one user may hold at once; 0: all");
  const auto add_bytes = [&](const char* name, int64_t& limit,
                             const char* description, const char* usual) {
    app.add_option(name, limit, description)
        ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
        ->check(CLI::NonNegativeNumber)
        ->default_str(usual);
  };
  add_bytes("--max-dataset-bytes-per-user", limits.dataset_bytes_per_user,
            "Texts and token ids of one user; 0: any amount", "64GiB");
  add_bytes("--max-dataset-bytes", limits.dataset_bytes,
            "Texts and token ids in all; 0: any amount", "256GiB");
  add_bytes("--max-stored-bytes-per-user", limits.stored_bytes_per_user,
            "Arrays and models of one user's jobs, with which the user gets no "
            "more computed; 0: any amount",
            "256GiB");
  add_bytes("--max-stored-bytes", limits.stored_bytes,
            "Arrays and models in all, with which nobody does; 0: any amount",
            "1TiB");
}

// What is dropped of results.
void AddRetentionOptions(CLI::App& app, ServeOptions& options) {
  AddDuration(app, "--keep-results", options.keep_results_seconds,
              "Drops the results of jobs that ended so long ago, such as 90d, "
              "but for those that `moeprobe-client keep` keeps (default: "
              "never)")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-store", options.server.retention.bytes,
                 "Drops the oldest results where arrays and models take more, "
                 "such as 500GiB; 0: never")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->check(CLI::NonNegativeNumber)
      ->default_str("0");
}

void AddAccessOptions(CLI::App& app, ServeOptions& options) {
  ListenOptions& listen = options.server.listen;
  app.add_option("--socket-mode", options.socket_mode,
                 "Who may connect to Unix sockets: 0600, this account; 0660, "
                 "the socket's group; 0666, every account of the machine")
      ->check(CLI::IsMember({"0600", "0660", "0666"}))
      ->capture_default_str();
  CLI::Option* certificate =
      app.add_option("--tls-cert", options.tls.certificate,
                     "Encrypts ports with this certificate, PEM")
          ->type_name("FILE");
  CLI::Option* key =
      app.add_option("--tls-key", options.tls.key, "The certificate's key, PEM")
          ->type_name("FILE")
          ->needs(certificate);
  certificate->needs(key);
  app.add_option("--client-ca", options.tls.client_ca,
                 "Takes connections from clients alone whose certificates this "
                 "one signed, PEM")
      ->type_name("FILE")
      ->needs(certificate);
  app.add_flag("--require-token", listen.require_token,
               "Refuses calls without a token at loopback ports, too, where "
               "otherwise whoever brings none is the account of the server");
  app.add_flag("--allow-unencrypted-network", listen.allow_unencrypted_network,
               "Listens without encryption where other machines connect: "
               "everybody on the network may read tokens and results");
  app.add_flag("--private-by-default", options.server.private_by_default,
               "Jobs and data sets are for their owners alone unless a request "
               "says otherwise; without this, every user sees them");
}

// Runs until SIGTERM or SIGINT.
int Run(const ServerOptions& options) {
  const auto server = Server::Start(options);
  if (!server.ok()) {
    std::cerr << "moeprobe-server: " << server.status().message() << "\n";
    return EXIT_FAILURE;
  }
  for (const std::string& address : (*server)->addresses()) {
    std::cout << "listening on " << address << '\n';
  }
  std::cout << std::flush;
  int signal = WaitForSignal();
  for (; signal == SIGHUP; signal = WaitForSignal()) {
    LogInfo(absl::StrCat("signal ", signal, ": opening the audit log anew"));
    (*server)->ReopenAuditLog();
  }
  LogInfo(absl::StrCat("signal ", signal, ": stopping"));
  (*server)->Stop();
  return EXIT_SUCCESS;
}

}  // namespace

ServeOptions::ServeOptions() {
  server.data_directory = DefaultDataDirectory();
  server.addresses = {DefaultAddress()};
  server.worker_binary = WorkerBesideThis();
  server.threads_per_worker = CoreCount();
  server.worker_memory_bytes = MachineMemoryBytes();
}

void AddServeOptions(CLI::App& app, ServeOptions& options) {
  app.add_option("--model-root", options.server.model_roots,
                 "A directory with models; may be given again");
  app.add_option("--listen", options.server.addresses,
                 "unix:PATH, or HOST:PORT; may be given again")
      ->capture_default_str();
  AddWorkerOptions(app, options);
  AddAccessOptions(app, options);
  AddLimitOptions(app, options.server.limits);
  AddRetentionOptions(app, options);
  AddOperatorOptions(app, options);
}

int Serve(ServeOptions options) {
  std::signal(SIGPIPE, SIG_IGN);
  // A file that grows over the limit on its size is an error, as on a full
  // disk.
  std::signal(SIGXFSZ, SIG_IGN);
  KeepFreedMemory(kKeptForMessages);
  LimitHeaps(kHeapsPerCore * CoreCount());
  // As Debian builds it, Abseil looks for cycles in the order of gRPC's locks,
  // each time that one is taken.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (!CatchSignals()) {
    std::cerr << "moeprobe-server: cannot catch signals\n";
    return EXIT_FAILURE;
  }
  ServerOptions& server = options.server;
  server.drain_patience = std::chrono::seconds(options.drain_seconds);
  server.lease = std::chrono::seconds(options.lease_seconds);
  server.stall = std::chrono::seconds(options.stall_seconds);
  server.max_job_time = std::chrono::seconds(options.max_job_seconds);
  if (options.keep_results_seconds > 0) {
    server.retention.age = absl::Seconds(options.keep_results_seconds);
  }
  server.listen.socket_mode =
      static_cast<mode_t>(std::stoul(options.socket_mode, nullptr, kOctal));
  server.memory_budget = options.memory_budget
                             ? MemoryBudget{.bytes = *options.memory_budget,
                                            .origin = "as --memory-budget says"}
                             : DefaultBudget();
  if (!options.tls.certificate.empty()) server.listen.tls = options.tls;
  LetWaitingThreadsSleep(server);
  StartLog("moeprobe-server", server.log_format);
  LogBudget(server.memory_budget);
  return Run(server);
}

}  // namespace moeprobe
