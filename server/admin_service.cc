#include "server/admin_service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "server/call_gate.h"
#include "server/grpc_status.h"
#include "storage/backup.h"
#include "storage/blob_store.h"

namespace moeprobe {

grpc::Status AdminServiceImpl::CreateBackup(
    grpc::ServerContext* context, const v1::CreateBackupRequest* request,
    v1::Backup* response) {
  return gate_.Run(*context, "AdminService/CreateBackup", request->directory(),
                   [&](GatedCall& /*call*/) {
                     return ToGrpc(WriteTo(request->directory(), *response));
                   });
}

absl::Status AdminServiceImpl::WriteTo(const std::filesystem::path& target,
                                       v1::Backup& backup) const {
  // At a NUL the system takes a name to end.
  if (!target.is_absolute() || !target.has_filename() ||
      target.native().find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("directory: ", Quoted(target.native()),
                     ", expected the absolute path of a new directory"));
  }
  const BlobStore::Hold hold = blobs_->HoldAll();
  MOEPROBE_ASSIGN_OR_RETURN(const BackupSize size,
                            WriteBackup(data_directory_, target));
  backup.set_directory(target.native());
  backup.set_file_count(size.file_count);
  backup.set_size_bytes(size.size_bytes);
  return absl::OkStatus();
}

}  // namespace moeprobe
