#ifndef MOEPROBE_SERVER_ADMIN_SERVICE_H_
#define MOEPROBE_SERVER_ADMIN_SERVICE_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "moeprobe/v1/admin_service.grpc.pb.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "server/call_gate.h"
#include "server/service_set.h"
#include "storage/blob_store.h"

namespace moeprobe {

// The service for the account of the server, which may do what it wants with
// the data directory anyway: who reaches its socket may call.
class AdminServiceImpl final : public v1::AdminService::Service {
 public:
  // `blobs`, those of the directory, must outlive the service.
  AdminServiceImpl(CallGate gate, std::filesystem::path data_directory,
                   const BlobStore* blobs)
      : gate_(std::move(gate)),
        data_directory_(std::move(data_directory)),
        blobs_(blobs) {}

  grpc::Status CreateBackup(grpc::ServerContext* context,
                            const v1::CreateBackupRequest* request,
                            v1::Backup* response) override;

 private:
  absl::Status WriteTo(const std::filesystem::path& target,
                       v1::Backup& backup) const;

  CallGate gate_;
  std::filesystem::path data_directory_;
  const BlobStore* blobs_;
};

// That service and those for users, at the one socket that other accounts do
// not reach. Workers do not either: a backup is where and of what they may not
// read.
class OwnServices final : public ServiceSet {
 public:
  OwnServices(std::unique_ptr<ServiceSet> users, CallGate gate,
              std::filesystem::path data_directory, const BlobStore* blobs)
      : users_(std::move(users)),
        admin_(std::move(gate), std::move(data_directory), blobs) {}

  std::vector<grpc::Service*> All() override {
    std::vector<grpc::Service*> all = users_->All();
    all.push_back(&admin_);
    return all;
  }

 private:
  std::unique_ptr<ServiceSet> users_;
  AdminServiceImpl admin_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ADMIN_SERVICE_H_
