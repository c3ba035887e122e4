#include "server/commands/store_commands.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/status.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/admin_service.grpc.pb.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "server/commands/absolute_path.h"
#include "spec/error_details.h"
#include "storage/backup.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/directory_lock.h"
#include "storage/doctor.h"
#include "storage/lost_database.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// Through the server that has the data directory.
absl::StatusOr<BackupSize> BackUpOnline(const fs::path& data_directory,
                                        const fs::path& target) {
  MOEPROBE_ASSIGN_OR_RETURN(const fs::path absolute,
                            AbsolutePath(data_directory));
  const auto stub = v1::AdminService::NewStub(grpc::CreateChannel(
      absl::StrCat("unix:", DataLayout(absolute).admin_socket.native()),
      grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::CreateBackupRequest request;
  request.set_directory(target.native());
  v1::Backup backup;
  const grpc::Status status = stub->CreateBackup(&context, request, &backup);
  if (!status.ok()) return FromGrpc(status);
  return BackupSize{.file_count = backup.file_count(),
                    .size_bytes = backup.size_bytes()};
}

absl::StatusOr<BackupSize> BackUpOffline(const fs::path& data_directory,
                                         const fs::path& target) {
  const DataLayout layout(data_directory);
  MOEPROBE_RETURN_IF_ERROR(CheckNoDatabaseIsLost(layout));
  MOEPROBE_ASSIGN_OR_RETURN(const auto database, OpenToWrite(layout.database));
  return WriteBackup(data_directory, target);
}

absl::Status CheckStore(const fs::path& data_directory) {
  const fs::path database = DataLayout(data_directory).database;
  std::error_code error;
  if (fs::exists(database, error)) return absl::OkStatus();
  if (error) return DiskError(error.value(), database);
  return absl::NotFoundError(
      absl::StrCat(data_directory.native(), ": no data directory of a server"));
}

absl::Status BackUp(const fs::path& data_directory, const fs::path& to) {
  MOEPROBE_RETURN_IF_ERROR(CheckStore(data_directory));
  MOEPROBE_ASSIGN_OR_RETURN(const fs::path target, AbsolutePath(to));
  const auto lock = DirectoryLock::Acquire(data_directory);
  // Another reason than that a server is running is none to call one.
  if (!lock.ok() && !absl::IsFailedPrecondition(lock.status())) {
    return lock.status();
  }
  const auto size = lock.ok() ? BackUpOffline(data_directory, target)
                              : BackUpOnline(data_directory, target);
  MOEPROBE_RETURN_IF_ERROR(size.status());
  std::cout << target.native() << ": " << size->file_count << " files, "
            << size->size_bytes << " bytes\n";
  return absl::OkStatus();
}

absl::Status Restore(const fs::path& from, const fs::path& data_directory) {
  MOEPROBE_ASSIGN_OR_RETURN(const fs::path backup, AbsolutePath(from));
  MOEPROBE_ASSIGN_OR_RETURN(const fs::path target,
                            AbsolutePath(data_directory));
  MOEPROBE_ASSIGN_OR_RETURN(const BackupSize size,
                            RestoreBackup(backup, target));
  std::cout << target.native() << ": " << size.file_count
            << " files, every digest as it was\n";
  return absl::OkStatus();
}

absl::Status Report(const Finding& finding, bool repair) {
  std::cout << finding.path.native() << ": " << finding.what;
  if (finding.is_garbage && repair) {
    MOEPROBE_RETURN_IF_ERROR(RemoveGarbage(finding));
    std::cout << ": removed";
  } else if (finding.is_garbage) {
    std::cout << ": --repair removes it";
  }
  std::cout << '\n';
  return absl::OkStatus();
}

absl::Status Doctor(const fs::path& data_directory, bool repair) {
  MOEPROBE_RETURN_IF_ERROR(CheckStore(data_directory));
  MOEPROBE_ASSIGN_OR_RETURN(const DirectoryLock lock,
                            DirectoryLock::Acquire(data_directory));
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Finding> findings,
                            Examine(data_directory));
  for (const Finding& finding : findings) {
    MOEPROBE_RETURN_IF_ERROR(Report(finding, repair));
  }
  const auto left = std::ranges::count_if(findings, [&](const Finding& one) {
    return !(one.is_garbage && repair);
  });
  if (left == 0) {
    std::cout << data_directory.native() << ": all is well\n";
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(left, " findings"));
}

}  // namespace

void AddStoreCommands(CLI::App& app, const fs::path& data_directory,
                      std::function<absl::Status()>& command) {
  CLI::App* backup = app.add_subcommand(
      "backup",
      "Copies the database, uploads and results, also while it runs.");
  const auto target = std::make_shared<fs::path>();
  backup->add_option("DIRECTORY", *target, "Is made")->required();
  backup->callback([&, target] {
    command = [&, target] { return BackUp(data_directory, *target); };
  });
  CLI::App* restore = app.add_subcommand(
      "restore", "Makes --data-dir from a backup, every digest verified.");
  restore->add_option("DIRECTORY", *target, "Of the backup")->required();
  restore->callback([&, target] {
    command = [&, target] { return Restore(*target, data_directory); };
  });
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Looks for damage and garbage; status 1 if there is any left.");
  const auto repair = std::make_shared<bool>(false);
  doctor->add_flag("--repair", *repair, "Removes what is certainly garbage");
  doctor->callback([&, repair] {
    command = [&, repair] { return Doctor(data_directory, *repair); };
  });
}

}  // namespace moeprobe
