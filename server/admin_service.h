#ifndef MOEPROBE_SERVER_ADMIN_SERVICE_H_
#define MOEPROBE_SERVER_ADMIN_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <filesystem>
#include <utility>

#include "moeprobe/v1/admin_service.grpc.pb.h"
#include "storage/blob_store.h"

namespace moeprobe {

// The service for the server's own user.
class AdminServiceImpl final : public v1::AdminService::Service {
 public:
  // `blobs`, those of the directory, must outlive the service.
  AdminServiceImpl(std::filesystem::path data_directory, const BlobStore* blobs)
      : data_directory_(std::move(data_directory)), blobs_(blobs) {}

  grpc::Status CreateBackup(grpc::ServerContext* context,
                            const v1::CreateBackupRequest* request,
                            v1::Backup* response) override;

 private:
  std::filesystem::path data_directory_;
  const BlobStore* blobs_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ADMIN_SERVICE_H_
