#ifndef MOEPROBE_SERVER_CLIENT_SERVICES_H_
#define MOEPROBE_SERVER_CLIENT_SERVICES_H_

#include <google/protobuf/empty.pb.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <utility>
#include <vector>

#include "moeprobe/v1/dataset_service.grpc.pb.h"
#include "moeprobe/v1/job_service.grpc.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/server_service.grpc.pb.h"
#include "moeprobe/v1/user_service.grpc.pb.h"
#include "server/access/caller.h"
#include "server/call_gate.h"
#include "server/dataset_operations.h"
#include "server/job_changes.h"
#include "server/job_operations.h"
#include "server/result_operations.h"
#include "server/server_operations.h"
#include "server/service_set.h"
#include "server/user_operations.h"
#include "storage/job_store.h"

namespace moeprobe {

// The services for users. Each call goes through a gate, which says who calls,
// and is one call of the operations; only WatchJob, which waits, is answered
// without a thread of its own. What the constructors are given must outlive the
// services.

class JobServiceImpl final : public v1::JobService::WithCallbackMethod_WatchJob<
                                 v1::JobService::Service> {
 public:
  JobServiceImpl(CallGate gate, JobOperations* operations, JobStore* jobs,
                 JobChanges* changes)
      : gate_(std::move(gate)),
        operations_(operations),
        jobs_(jobs),
        changes_(changes) {}

  grpc::Status CreateJob(grpc::ServerContext* context,
                         const v1::CreateJobRequest* request,
                         v1::Job* response) override;
  grpc::Status ValidateJob(grpc::ServerContext* context,
                           const v1::ValidateJobRequest* request,
                           v1::ValidateJobResponse* response) override;
  grpc::Status GetJob(grpc::ServerContext* context,
                      const v1::GetJobRequest* request,
                      v1::Job* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context,
                        const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status CancelJob(grpc::ServerContext* context,
                         const v1::CancelJobRequest* request,
                         v1::Job* response) override;
  grpc::Status DeleteJob(grpc::ServerContext* context,
                         const v1::DeleteJobRequest* request,
                         google::protobuf::Empty* response) override;
  grpc::Status KeepJob(grpc::ServerContext* context,
                       const v1::KeepJobRequest* request,
                       v1::Job* response) override;
  grpc::Status UnkeepJob(grpc::ServerContext* context,
                         const v1::UnkeepJobRequest* request,
                         v1::Job* response) override;
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(
      grpc::CallbackServerContext* context,
      const v1::WatchJobRequest* request) override;

 private:
  CallGate gate_;
  JobOperations* operations_;
  JobStore* jobs_;
  JobChanges* changes_;
};

class ResultServiceImpl final : public v1::ResultService::Service {
 public:
  ResultServiceImpl(CallGate gate, ResultOperations* operations)
      : gate_(std::move(gate)), operations_(operations) {}

  grpc::Status GetResult(grpc::ServerContext* context,
                         const v1::GetResultRequest* request,
                         v1::Result* response) override;
  grpc::Status ReadArrays(grpc::ServerContext* context,
                          const v1::ReadArraysRequest* request,
                          grpc::ServerWriter<v1::ArrayChunk>* writer) override;

 private:
  CallGate gate_;
  ResultOperations* operations_;
};

class DatasetServiceImpl final : public v1::DatasetService::Service {
 public:
  DatasetServiceImpl(CallGate gate, DatasetOperations* operations)
      : gate_(std::move(gate)), operations_(operations) {}

  grpc::Status UploadDataset(
      grpc::ServerContext* context,
      grpc::ServerReader<v1::UploadDatasetRequest>* reader,
      v1::Dataset* response) override;
  grpc::Status GetDataset(grpc::ServerContext* context,
                          const v1::GetDatasetRequest* request,
                          v1::Dataset* response) override;
  grpc::Status ListDatasets(grpc::ServerContext* context,
                            const v1::ListDatasetsRequest* request,
                            v1::ListDatasetsResponse* response) override;

 private:
  CallGate gate_;
  DatasetOperations* operations_;
};

class ServerServiceImpl final : public v1::ServerService::Service {
 public:
  ServerServiceImpl(CallGate gate, ServerOperations* operations)
      : gate_(std::move(gate)), operations_(operations) {}

  grpc::Status GetServerInfo(grpc::ServerContext* context,
                             const v1::GetServerInfoRequest* request,
                             v1::ServerInfo* response) override;
  grpc::Status ListModels(grpc::ServerContext* context,
                          const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* response) override;
  grpc::Status LoadModel(grpc::ServerContext* context,
                         const v1::LoadModelRequest* request,
                         v1::Model* response) override;
  grpc::Status UnloadModel(grpc::ServerContext* context,
                           const v1::UnloadModelRequest* request,
                           v1::Model* response) override;
  grpc::Status PinModel(grpc::ServerContext* context,
                        const v1::PinModelRequest* request,
                        v1::Model* response) override;
  grpc::Status UnpinModel(grpc::ServerContext* context,
                          const v1::UnpinModelRequest* request,
                          v1::Model* response) override;

 private:
  CallGate gate_;
  ServerOperations* operations_;
};

class UserServiceImpl final : public v1::UserService::Service {
 public:
  UserServiceImpl(CallGate gate, UserOperations* operations)
      : gate_(std::move(gate)), operations_(operations) {}

  grpc::Status GetCaller(grpc::ServerContext* context,
                         const v1::GetCallerRequest* request,
                         v1::Caller* response) override;
  grpc::Status CreateUser(grpc::ServerContext* context,
                          const v1::CreateUserRequest* request,
                          v1::CreateUserResponse* response) override;
  grpc::Status RenewUser(grpc::ServerContext* context,
                         const v1::RenewUserRequest* request,
                         v1::RenewUserResponse* response) override;
  grpc::Status RevokeUser(grpc::ServerContext* context,
                          const v1::RevokeUserRequest* request,
                          v1::User* response) override;
  grpc::Status SetUserWeight(grpc::ServerContext* context,
                             const v1::SetUserWeightRequest* request,
                             v1::User* response) override;
  grpc::Status ListUsers(grpc::ServerContext* context,
                         const v1::ListUsersRequest* request,
                         v1::ListUsersResponse* response) override;

 private:
  CallGate gate_;
  UserOperations* operations_;
};

// What the services are made of.
struct ClientParts {
  GateParts gate;
  JobOperations* job_operations;
  JobStore* jobs;
  JobChanges* changes;
  ResultOperations* result_operations;
  DatasetOperations* dataset_operations;
  ServerOperations* server_operations;
  UserOperations* user_operations;
};

// All services for users, for connections that came in at one place.
class ClientServices final : public ServiceSet {
 public:
  ClientServices(const ClientParts& parts, const Origin& origin);

  std::vector<grpc::Service*> All() override {
    return {&jobs_, &results_, &datasets_, &server_, &users_};
  }

 private:
  CallGate gate_;
  JobServiceImpl jobs_;
  ResultServiceImpl results_;
  DatasetServiceImpl datasets_;
  ServerServiceImpl server_;
  UserServiceImpl users_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_CLIENT_SERVICES_H_
