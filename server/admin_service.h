#ifndef MOEPROBE_SERVER_ADMIN_SERVICE_H_
#define MOEPROBE_SERVER_ADMIN_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "moeprobe/v1/admin_service.grpc.pb.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "server/access/audit_log.h"
#include "storage/blob_store.h"

namespace moeprobe {

// The service for the server's own user. Each call has its line in the audit
// log before it is answered.
class AdminServiceImpl final : public v1::AdminService::Service {
 public:
  // `blobs`, those of the directory, and `audit` must outlive the service.
  AdminServiceImpl(std::filesystem::path data_directory, const BlobStore* blobs,
                   AuditLog* audit)
      : data_directory_(std::move(data_directory)),
        blobs_(blobs),
        audit_(audit) {}

  grpc::Status CreateBackup(grpc::ServerContext* context,
                            const v1::CreateBackupRequest* request,
                            v1::Backup* response) override;

 private:
  absl::Status WriteTo(const std::filesystem::path& target,
                       v1::Backup& backup) const;

  std::filesystem::path data_directory_;
  const BlobStore* blobs_;
  AuditLog* audit_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ADMIN_SERVICE_H_
