#include "server/admin_service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "server/grpc_status.h"
#include "storage/backup.h"
#include "storage/blob_store.h"

namespace moeprobe {

grpc::Status AdminServiceImpl::CreateBackup(
    grpc::ServerContext* /*context*/, const v1::CreateBackupRequest* request,
    v1::Backup* response) {
  const std::filesystem::path target = request->directory();
  if (!target.is_absolute() || !target.has_filename()) {
    return ToGrpc(absl::InvalidArgumentError(
        absl::StrCat("directory: ", Quoted(request->directory()),
                     ", expected the absolute path of a new directory")));
  }
  const BlobStore::Hold hold = blobs_->HoldAll();
  const auto size = WriteBackup(data_directory_, target);
  if (!size.ok()) return ToGrpc(size.status());
  response->set_directory(target.native());
  response->set_file_count(size->file_count);
  response->set_size_bytes(size->size_bytes);
  return grpc::Status::OK;
}

}  // namespace moeprobe
