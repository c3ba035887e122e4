#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/crash_point.h"
#include "core/base/file_descriptor.h"
#include "core/base/heap.h"
#include "core/base/status_macros.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/known_expert.h"
#include "core/pipeline/measure_rates.h"
#include "core/tensor/libtorch_kernels.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/log.h"
#include "server/worker/confinement.h"
#include "server/worker/server_connection.h"
#include "server/worker/server_link.h"
#include "server/worker/task_runner.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {
namespace {

constexpr std::chrono::seconds kRest{1};

// As the server has them.
LogFields FieldsOf(const v1::Task& task) {
  return {{"job", std::string(absl::StripPrefix(task.job(), "jobs/"))},
          {"attempt", absl::StrCat(task.attempt())},
          WorkerField(getpid())};
}

void LogEnd(const v1::Task& task, const absl::Status& status) {
  LogFields fields = FieldsOf(task);
  if (!status.ok()) fields.emplace_back("reason", status.ToString());
  LogInfo(status.ok() ? "reported" : "not reported", fields);
}

// Runs tasks until the server is gone, Unavailable, or this process computes
// wrongly, Internal. Asking for a task says that it does not.
absl::Status RunTasks(const ServerLink& link, const TokenizerOptions& tokenizer,
                      Analyzer& analyzer) {
  while (true) {
    MOEPROBE_RETURN_IF_ERROR(CheckKnownExpert());
    const absl::StatusOr<std::optional<v1::Task>> task = link.ClaimTask();
    // The server hands out nothing as long as its disk is full or fails.
    if (DiskFails(task.status())) {
      std::this_thread::sleep_for(kRest);
      continue;
    }
    if (!task.ok()) return task.status();
    if (!task->has_value()) continue;
    CrashPoint("worker-has-task");
    const v1::Task& claimed = **task;
    LogInfo("running", FieldsOf(claimed));
    const absl::Status status =
        TaskRunner(link, tokenizer, analyzer, claimed).Run();
    LogEnd(claimed, status);
  }
}

// A worker never outlives its server. The parent may have died before the
// request: then this process has already been adopted.
void DieWithServer(pid_t server) {
  if (server == 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != server) std::exit(EXIT_FAILURE);
}

struct WorkerOptions {
  std::string server;
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  pid_t server_pid = 0;
  LogFormat log_format = LogFormat::kText;
  Confinement confinement;
  TokenizerOptions tokenizer = DefaultTokenizerOptions();
};

void AddConfinement(CLI::App& app, Confinement& confinement) {
  app.add_option("--memory", confinement.limits.memory_bytes,
                 "bytes of memory it may take, mapped checkpoints left out; 0: "
                 "no limit")
      ->capture_default_str();
  app.add_option("--file-size", confinement.limits.file_bytes,
                 "bytes of the largest file it may write; 0: no limit")
      ->capture_default_str();
  app.add_option("--readable", confinement.readable,
                 "a directory it may read; where this or the next is given, it "
                 "is kept from all other files but programs");
  app.add_option("--writable", confinement.writable,
                 "a directory it may read and write");
}

void AddOptions(CLI::App& app, WorkerOptions& options) {
  app.add_option("--server", options.server,
                 "the server's worker socket, unix:PATH, or fd:N, a "
                 "connection to it")
      ->required();
  app.add_option("--threads", options.threads, "threads to compute with")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option(
      "--server-pid", options.server_pid,
      "process to end with; default: go on until the server is gone");
  app.add_option("--log-format", options.log_format,
                 "lines of the log, on standard error")
      ->transform(CLI::CheckedTransformer(LogFormats()).description(""))
      ->type_name("text|json")
      ->default_str("text");
  AddConfinement(app, options.confinement);
  app.add_option("--python", options.tokenizer.python,
                 "interpreter with the tokenizers package")
      ->capture_default_str();
  app.add_option("--tokenizer-script", options.tokenizer.script,
                 "tokenize_text.py")
      ->capture_default_str();
}

// Connects to the server, and then gives up what a worker may not do.
absl::StatusOr<FileDescriptor> Begin(const WorkerOptions& options) {
  MOEPROBE_RETURN_IF_ERROR(ArmCrashPoint());
  MOEPROBE_ASSIGN_OR_RETURN(FileDescriptor connection,
                            ConnectToServer(options.server));
  MOEPROBE_RETURN_IF_ERROR(Confine(options.confinement, options.tokenizer));
  MOEPROBE_RETURN_IF_ERROR(CheckLibtorchKernels());
  KeepFreedMemory(kKeptForTensors);
  CrashPoint("worker-confined");
  return connection;
}

// Runs tasks until there is no server, which is how a worker ends.
absl::Status Work(const WorkerOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(FileDescriptor connection, Begin(options));
  Analyzer analyzer(options.threads);
  absl::Status status =
      RunTasks(ServerLink(std::move(connection), MeasureRates()),
               options.tokenizer, analyzer);
  if (absl::IsInternal(status)) return status;
  LogInfo("the server is gone",
          {WorkerField(getpid()), {"reason", std::string(status.message())}});
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Runs the tasks of a moeprobe server; started by it.");
  WorkerOptions options;
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);

  DieWithServer(options.server_pid);
  StartLog("worker", options.log_format);
  const absl::Status status = Work(options);
  if (status.ok()) return EXIT_SUCCESS;
  LogError(std::string(status.message()), {WorkerField(getpid())});
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace moeprobe

// Only a wrong declaration of an option could throw past main.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) { return moeprobe::Main(argc, argv); }
