#include "server/started_workers.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/isolation/kernel_walls.h"
#include "server/isolation/process_limits.h"
#include "server/local_executor.h"
#include "server/log.h"
#include "server/port_listener.h"
#include "server/scheduler.h"
#include "server/server_options.h"
#include "server/worker_process.h"
#include "storage/data_layout.h"

namespace moeprobe {
namespace {

// Of checkpoints of training and of token ids.
constexpr int64_t kMaxOtherFileBytes = int64_t{64} << 30;

absl::Status CheckWorkerBinary(const std::filesystem::path& binary) {
  if (access(binary.c_str(), X_OK) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "worker binary ", binary.string(), ": not there, or not executable"));
}

// Hidden states are the largest files that a worker writes.
int64_t MaxFileBytes(const ServerOptions& options) {
  return std::max(options.hidden_state_bytes, kMaxOtherFileBytes);
}

// Absolute: workers have a directory of their own.
DataLayout LayoutOf(const ServerOptions& options) {
  return DataLayout(std::filesystem::absolute(options.data_directory));
}

// Where workers write, in the data directory.
std::vector<std::filesystem::path> WorkerDirectories(
    const ServerOptions& options) {
  const DataLayout data = LayoutOf(options);
  std::vector<std::filesystem::path> directories = {data.scratch, data.trained};
  if (options.hidden_state_bytes > 0) {
    directories.push_back(data.hidden_states);
  }
  return directories;
}

// Workers may write only what is there when they start.
absl::Status MakeWorkerDirectories(const ServerOptions& options) {
  for (const std::filesystem::path& directory : WorkerDirectories(options)) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return DiskError(error.value(), directory);
  }
  return absl::OkStatus();
}

// Says what isolates workers and what is missing; refuses where that is too
// little.
absl::Status CheckIsolation(const ServerOptions& options) {
  const KernelWalls walls = WallsOfThisKernel();
  if (options.require_isolation) {
    MOEPROBE_RETURN_IF_ERROR(CheckWalls(walls));
  }
  LogInfo(Description(walls));
  for (const std::string& gap : GapsIn(walls)) LogWarning(gap);
  return absl::OkStatus();
}

std::vector<std::string> WorkerCommand(const ServerOptions& options) {
  std::vector<std::string> command = {options.worker_binary.string(),
                                      "--server",
                                      absl::StrCat("fd:", WorkerProcess::kLine),
                                      "--threads",
                                      absl::StrCat(options.threads_per_worker),
                                      "--server-pid",
                                      absl::StrCat(getpid()),
                                      "--memory",
                                      absl::StrCat(options.worker_memory_bytes),
                                      "--file-size",
                                      absl::StrCat(MaxFileBytes(options)),
                                      "--log-format",
                                      NameOf(options.log_format),
                                      "--readable",
                                      LayoutOf(options).blobs};
  for (const std::filesystem::path& root : options.model_roots) {
    command.insert(command.end(), {"--readable", root});
  }
  for (const std::filesystem::path& directory : WorkerDirectories(options)) {
    command.insert(command.end(), {"--writable", directory});
  }
  return command;
}

}  // namespace

std::optional<v1::Isolation> IsolationOf(const ServerOptions& options) {
  if (options.worker_count == 0) return std::nullopt;
  const KernelWalls walls = WallsOfThisKernel();
  v1::Isolation isolation;
  isolation.set_landlock_version(walls.landlock_version);
  isolation.set_are_sockets_forbidden(walls.can_forbid_sockets);
  isolation.set_max_memory_bytes(options.worker_memory_bytes);
  isolation.set_max_file_bytes(MaxFileBytes(options));
  isolation.set_max_open_file_count(kMaxOpenFiles);
  isolation.set_max_process_count(kMaxProcesses);
  for (const std::string& gap : GapsIn(walls)) isolation.add_gaps(gap);
  return isolation;
}

absl::StatusOr<std::unique_ptr<LocalExecutor>> StartWorkers(
    const ServerOptions& options, PortListener& listener,
    Scheduler& scheduler) {
  if (options.worker_count == 0) return nullptr;
  MOEPROBE_RETURN_IF_ERROR(CheckWorkerBinary(options.worker_binary));
  MOEPROBE_RETURN_IF_ERROR(CheckIsolation(options));
  MOEPROBE_RETURN_IF_ERROR(MakeWorkerDirectories(options));
  return LocalExecutor::Start(
      {.command = WorkerCommand(options),
       .worker_count = options.worker_count,
       .on_start =
           [&](int64_t pid, FileDescriptor line) {
             scheduler.WorkerStarted(pid);
             listener.Serve(std::move(line));
           },
       .on_death =
           [&](int64_t pid, const std::string& reason, bool was_ordered) {
             const absl::Status status =
                 was_ordered ? scheduler.LoseWorker(pid, reason)
                             : scheduler.WorkerDied(pid, reason);
             if (!status.ok()) LogWarning(status.ToString());
           }});
}

}  // namespace moeprobe
