#include "server/client_services.h"

#include <google/protobuf/empty.pb.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "moeprobe/v1/user_service.pb.h"
#include "server/access/caller.h"
#include "server/call_gate.h"
#include "server/grpc_status.h"
#include "server/resource_name.h"
#include "server/user_operations.h"
#include "server/watch_reactor.h"

namespace moeprobe {
namespace {

// Returns the job to watch.
absl::StatusOr<int64_t> CheckWatch(const v1::WatchJobRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t job, ParseJobName(request.name()));
  if (request.after_sequence() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("after_sequence: ", request.after_sequence(),
                     " is negative, expected 0 or more"));
  }
  return job;
}

}  // namespace

grpc::Status JobServiceImpl::CreateJob(grpc::ServerContext* context,
                                       const v1::CreateJobRequest* request,
                                       v1::Job* response) {
  return gate_.Run(*context, "JobService/CreateJob", "", [&](GatedCall& call) {
    const grpc::Status status =
        Answer(operations_->Create(call.viewer(), *request), response);
    call.SetResource(response->name());
    return status;
  });
}

grpc::Status JobServiceImpl::ValidateJob(grpc::ServerContext* context,
                                         const v1::ValidateJobRequest* request,
                                         v1::ValidateJobResponse* response) {
  return gate_.Run(*context, "JobService/ValidateJob", "",
                   [&](GatedCall& call) {
                     *response = operations_->Validate(call.viewer(), *request);
                     return grpc::Status::OK;
                   });
}

grpc::Status JobServiceImpl::GetJob(grpc::ServerContext* context,
                                    const v1::GetJobRequest* request,
                                    v1::Job* response) {
  return gate_.Run(
      *context, "JobService/GetJob", request->name(), [&](GatedCall& call) {
        return Answer(operations_->Get(call.viewer(), request->name()),
                      response);
      });
}

grpc::Status JobServiceImpl::ListJobs(grpc::ServerContext* context,
                                      const v1::ListJobsRequest* request,
                                      v1::ListJobsResponse* response) {
  return gate_.Run(*context, "JobService/ListJobs", "", [&](GatedCall& call) {
    return Answer(operations_->List(call.viewer(), *request), response);
  });
}

grpc::Status JobServiceImpl::CancelJob(grpc::ServerContext* context,
                                       const v1::CancelJobRequest* request,
                                       v1::Job* response) {
  return gate_.Run(
      *context, "JobService/CancelJob", request->name(), [&](GatedCall& call) {
        return Answer(operations_->Cancel(call.viewer(), request->name()),
                      response);
      });
}

grpc::Status JobServiceImpl::DeleteJob(grpc::ServerContext* context,
                                       const v1::DeleteJobRequest* request,
                                       google::protobuf::Empty* /*response*/) {
  return gate_.Run(
      *context, "JobService/DeleteJob", request->name(), [&](GatedCall& call) {
        return ToGrpc(operations_->Remove(call.viewer(), request->name()));
      });
}

grpc::Status JobServiceImpl::KeepJob(grpc::ServerContext* context,
                                     const v1::KeepJobRequest* request,
                                     v1::Job* response) {
  return gate_.Run(
      *context, "JobService/KeepJob", request->name(), [&](GatedCall& call) {
        return Answer(operations_->SetKept(call.viewer(), request->name(),
                                           /*is_kept=*/true),
                      response);
      });
}

grpc::Status JobServiceImpl::UnkeepJob(grpc::ServerContext* context,
                                       const v1::UnkeepJobRequest* request,
                                       v1::Job* response) {
  return gate_.Run(
      *context, "JobService/UnkeepJob", request->name(), [&](GatedCall& call) {
        return Answer(operations_->SetKept(call.viewer(), request->name(),
                                           /*is_kept=*/false),
                      response);
      });
}

grpc::ServerWriteReactor<v1::JobEvent>* JobServiceImpl::WatchJob(
    grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) {
  GatedCall call =
      gate_.Begin(*context, "JobService/WatchJob", request->name());
  absl::StatusOr<int64_t> job = CheckWatch(*request);
  if (!call.admission().ok()) job = call.admission();
  if (!job.ok()) return RefuseToWatch(call.End(ToGrpc(job.status())));
  return WatchJobEvents({.jobs = jobs_,
                         .changes = changes_,
                         .job = *job,
                         .after_sequence = request->after_sequence()},
                        std::move(call));
}

grpc::Status ResultServiceImpl::GetResult(grpc::ServerContext* context,
                                          const v1::GetResultRequest* request,
                                          v1::Result* response) {
  return gate_.Run(*context, "ResultService/GetResult", request->name(),
                   [&](GatedCall& call) {
                     return Answer(
                         operations_->Get(call.viewer(), request->name()),
                         response);
                   });
}

grpc::Status ResultServiceImpl::ReadArrays(
    grpc::ServerContext* context, const v1::ReadArraysRequest* request,
    grpc::ServerWriter<v1::ArrayChunk>* writer) {
  return gate_.Run(
      *context, "ResultService/ReadArrays", request->name(),
      [&](GatedCall& call) {
        const auto write = [&](const v1::ArrayChunk& chunk) {
          return call.Recheck().ok() && writer->Write(chunk);
        };
        const absl::Status read =
            operations_->Read(call.viewer(), *request, write);
        return ToGrpc(call.admission().ok() ? read : call.admission());
      });
}

grpc::Status DatasetServiceImpl::UploadDataset(
    grpc::ServerContext* context,
    grpc::ServerReader<v1::UploadDatasetRequest>* reader,
    v1::Dataset* response) {
  return gate_.Run(*context, "DatasetService/UploadDataset", "",
                   [&](GatedCall& call) {
                     const auto read = [&](v1::UploadDatasetRequest* message) {
                       return call.Recheck().ok() && reader->Read(message);
                     };
                     auto stored = operations_->Upload(call.viewer(), read);
                     if (!call.admission().ok()) stored = call.admission();
                     const grpc::Status status = Answer(stored, response);
                     call.SetResource(response->name());
                     return status;
                   });
}

grpc::Status DatasetServiceImpl::GetDataset(
    grpc::ServerContext* context, const v1::GetDatasetRequest* request,
    v1::Dataset* response) {
  return gate_.Run(*context, "DatasetService/GetDataset", request->name(),
                   [&](GatedCall& call) {
                     return Answer(
                         operations_->Get(call.viewer(), request->name()),
                         response);
                   });
}

grpc::Status DatasetServiceImpl::ListDatasets(
    grpc::ServerContext* context, const v1::ListDatasetsRequest* request,
    v1::ListDatasetsResponse* response) {
  return gate_.Run(
      *context, "DatasetService/ListDatasets", "", [&](GatedCall& call) {
        return Answer(operations_->List(call.viewer(), *request), response);
      });
}

grpc::Status ServerServiceImpl::GetServerInfo(
    grpc::ServerContext* context, const v1::GetServerInfoRequest* /*request*/,
    v1::ServerInfo* response) {
  return gate_.Run(*context, "ServerService/GetServerInfo", "",
                   [&](GatedCall& /*call*/) {
                     *response = operations_->GetInfo();
                     return grpc::Status::OK;
                   });
}

grpc::Status ServerServiceImpl::ListModels(grpc::ServerContext* context,
                                           const v1::ListModelsRequest* request,
                                           v1::ListModelsResponse* response) {
  return gate_.Run(
      *context, "ServerService/ListModels", "", [&](GatedCall& call) {
        return Answer(operations_->ListModels(call.viewer(), *request),
                      response);
      });
}

grpc::Status ServerServiceImpl::LoadModel(grpc::ServerContext* context,
                                          const v1::LoadModelRequest* request,
                                          v1::Model* response) {
  return gate_.Run(*context, "ServerService/LoadModel", request->name(),
                   [&](GatedCall& call) {
                     return Answer(
                         operations_->LoadModel(call.viewer(), request->name()),
                         response);
                   });
}

grpc::Status ServerServiceImpl::UnloadModel(
    grpc::ServerContext* context, const v1::UnloadModelRequest* request,
    v1::Model* response) {
  return gate_.Run(
      *context, "ServerService/UnloadModel", request->name(),
      [&](GatedCall& call) {
        return Answer(operations_->UnloadModel(call.viewer(), request->name()),
                      response);
      });
}

grpc::Status ServerServiceImpl::PinModel(grpc::ServerContext* context,
                                         const v1::PinModelRequest* request,
                                         v1::Model* response) {
  return gate_.Run(*context, "ServerService/PinModel", request->name(),
                   [&](GatedCall& call) {
                     return Answer(
                         operations_->PinModel(call.viewer(), request->name()),
                         response);
                   });
}

grpc::Status ServerServiceImpl::UnpinModel(grpc::ServerContext* context,
                                           const v1::UnpinModelRequest* request,
                                           v1::Model* response) {
  return gate_.Run(
      *context, "ServerService/UnpinModel", request->name(),
      [&](GatedCall& call) {
        return Answer(operations_->UnpinModel(call.viewer(), request->name()),
                      response);
      });
}

grpc::Status UserServiceImpl::GetCaller(grpc::ServerContext* context,
                                        const v1::GetCallerRequest* /*request*/,
                                        v1::Caller* response) {
  return gate_.Run(*context, "UserService/GetCaller", "", [&](GatedCall& call) {
    *response = ToMessage(call.caller());
    return grpc::Status::OK;
  });
}

grpc::Status UserServiceImpl::CreateUser(grpc::ServerContext* context,
                                         const v1::CreateUserRequest* request,
                                         v1::CreateUserResponse* response) {
  return gate_.Run(*context, "UserService/CreateUser", request->user().name(),
                   [&](GatedCall& call) {
                     return Answer(operations_->Create(call.caller(), *request),
                                   response);
                   });
}

grpc::Status UserServiceImpl::RenewUser(grpc::ServerContext* context,
                                        const v1::RenewUserRequest* request,
                                        v1::RenewUserResponse* response) {
  return gate_.Run(
      *context, "UserService/RenewUser", request->name(), [&](GatedCall& call) {
        return Answer(operations_->Renew(call.caller(), *request), response);
      });
}

grpc::Status UserServiceImpl::RevokeUser(grpc::ServerContext* context,
                                         const v1::RevokeUserRequest* request,
                                         v1::User* response) {
  return gate_.Run(*context, "UserService/RevokeUser", request->name(),
                   [&](GatedCall& call) {
                     return Answer(
                         operations_->Revoke(call.caller(), request->name()),
                         response);
                   });
}

grpc::Status UserServiceImpl::SetUserWeight(
    grpc::ServerContext* context, const v1::SetUserWeightRequest* request,
    v1::User* response) {
  return gate_.Run(*context, "UserService/SetUserWeight", request->name(),
                   [&](GatedCall& call) {
                     return Answer(
                         operations_->SetWeight(call.caller(), *request),
                         response);
                   });
}

grpc::Status UserServiceImpl::ListUsers(grpc::ServerContext* context,
                                        const v1::ListUsersRequest* request,
                                        v1::ListUsersResponse* response) {
  return gate_.Run(*context, "UserService/ListUsers", "", [&](GatedCall& call) {
    return Answer(operations_->List(call.caller(), *request), response);
  });
}

ClientServices::ClientServices(const ClientParts& parts, const Origin& origin)
    : gate_(parts.gate, origin),
      jobs_(gate_, parts.job_operations, parts.jobs, parts.changes),
      results_(gate_, parts.result_operations),
      datasets_(gate_, parts.dataset_operations),
      server_(gate_, parts.server_operations),
      users_(gate_, parts.user_operations) {}

}  // namespace moeprobe
