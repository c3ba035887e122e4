#include "server/client_services.h"

#include <google/protobuf/empty.pb.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/grpc_status.h"
#include "server/resource_name.h"
#include "server/watch_reactor.h"

namespace moeprobe {

grpc::Status JobServiceImpl::CreateJob(grpc::ServerContext* /*context*/,
                                       const v1::CreateJobRequest* request,
                                       v1::Job* response) {
  return Answer(operations_->Create(*request), response);
}

grpc::Status JobServiceImpl::ValidateJob(grpc::ServerContext* /*context*/,
                                         const v1::ValidateJobRequest* request,
                                         v1::ValidateJobResponse* response) {
  *response = operations_->Validate(*request);
  return grpc::Status::OK;
}

grpc::Status JobServiceImpl::GetJob(grpc::ServerContext* /*context*/,
                                    const v1::GetJobRequest* request,
                                    v1::Job* response) {
  return Answer(operations_->Get(request->name()), response);
}

grpc::Status JobServiceImpl::ListJobs(grpc::ServerContext* /*context*/,
                                      const v1::ListJobsRequest* request,
                                      v1::ListJobsResponse* response) {
  return Answer(operations_->List(*request), response);
}

grpc::Status JobServiceImpl::CancelJob(grpc::ServerContext* /*context*/,
                                       const v1::CancelJobRequest* request,
                                       v1::Job* response) {
  return Answer(operations_->Cancel(request->name()), response);
}

grpc::Status JobServiceImpl::DeleteJob(grpc::ServerContext* /*context*/,
                                       const v1::DeleteJobRequest* request,
                                       google::protobuf::Empty* /*response*/) {
  return ToGrpc(operations_->Remove(request->name()));
}

grpc::ServerWriteReactor<v1::JobEvent>* JobServiceImpl::WatchJob(
    grpc::CallbackServerContext* /*context*/,
    const v1::WatchJobRequest* request) {
  const auto job = ParseJobName(request->name());
  if (!job.ok()) return RefuseToWatch(ToGrpc(job.status()));
  if (request->after_sequence() < 0) {
    return RefuseToWatch(ToGrpc(absl::InvalidArgumentError(
        absl::StrCat("after_sequence: ", request->after_sequence(),
                     " is negative, expected 0 or more"))));
  }
  return WatchJobEvents(jobs_, changes_, *job, request->after_sequence());
}

grpc::Status ResultServiceImpl::GetResult(grpc::ServerContext* /*context*/,
                                          const v1::GetResultRequest* request,
                                          v1::Result* response) {
  return Answer(operations_->Get(request->name()), response);
}

grpc::Status ResultServiceImpl::ReadArrays(
    grpc::ServerContext* /*context*/, const v1::ReadArraysRequest* request,
    grpc::ServerWriter<v1::ArrayChunk>* writer) {
  return ToGrpc(operations_->Read(*request, [&](const v1::ArrayChunk& chunk) {
    return writer->Write(chunk);
  }));
}

grpc::Status DatasetServiceImpl::UploadDataset(
    grpc::ServerContext* /*context*/,
    grpc::ServerReader<v1::UploadDatasetRequest>* reader,
    v1::Dataset* response) {
  return Answer(operations_->Upload([&](v1::UploadDatasetRequest* message) {
    return reader->Read(message);
  }),
                response);
}

grpc::Status DatasetServiceImpl::GetDataset(
    grpc::ServerContext* /*context*/, const v1::GetDatasetRequest* request,
    v1::Dataset* response) {
  return Answer(operations_->Get(request->name()), response);
}

grpc::Status DatasetServiceImpl::ListDatasets(
    grpc::ServerContext* /*context*/, const v1::ListDatasetsRequest* request,
    v1::ListDatasetsResponse* response) {
  return Answer(operations_->List(*request), response);
}

grpc::Status ServerServiceImpl::GetServerInfo(
    grpc::ServerContext* /*context*/,
    const v1::GetServerInfoRequest* /*request*/, v1::ServerInfo* response) {
  *response = operations_->GetInfo();
  return grpc::Status::OK;
}

grpc::Status ServerServiceImpl::ListModels(grpc::ServerContext* /*context*/,
                                           const v1::ListModelsRequest* request,
                                           v1::ListModelsResponse* response) {
  return Answer(operations_->ListModels(*request), response);
}

}  // namespace moeprobe
