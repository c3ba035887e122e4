#include "client/service/client.h"

#include <google/protobuf/empty.pb.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/array_stream.h"
#include "client/service/cancellation.h"
#include "client/service/client_options.h"
#include "client/service/grpc_status.h"
#include "client/service/retry.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/dataset_service.grpc.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.grpc.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/server_service.grpc.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "moeprobe/v1/user_service.grpc.pb.h"
#include "moeprobe/v1/user_service.pb.h"

namespace moeprobe {
namespace {

constexpr std::chrono::seconds kCallDeadline{30};
// A result lists its arrays, some 200 bytes each, in one message.
constexpr int kLargestMessage = 64 << 20;
constexpr int kPageSize = 100;
// How long a connection may take, which gRPC calls the least backoff: there may
// be TLS far away, and a server that looks up who connects.
constexpr int kConnectingMilliseconds = 5000;

std::shared_ptr<grpc::Channel> Connect(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestMessage);
  // A server that restarts is back in a moment.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectingMilliseconds);
  // An http_proxy of the environment is not meant for a server at hand.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(options.address,
                                   options.credentials != nullptr
                                       ? options.credentials
                                       : grpc::InsecureChannelCredentials(),
                                   arguments);
}

// Makes a call with a deadline, again while nobody answers.
class UnaryCall {
 public:
  UnaryCall(const ClientOptions& options, Cancellation& cancellation,
            const std::shared_ptr<grpc::Channel>& channel)
      : options_(options), cancellation_(cancellation), channel_(channel) {}

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> operator()(
      Stub& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) const {
    Retry retry(options_.patience, cancellation_, channel_);
    Response response;
    absl::Status status;
    do {
      grpc::ClientContext context;
      const Cancellation::Call call(cancellation_, context);
      Authorize(context, options_.token);
      context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
      status = ToAbslStatus((stub.*method)(&context, request, &response));
    } while (retry.Again(status));
    if (!status.ok()) return WithAddress(status, options_.address);
    return response;
  }

 private:
  const ClientOptions& options_;
  Cancellation& cancellation_;
  const std::shared_ptr<grpc::Channel>& channel_;
};

// Collects the pages of a list. `page` makes the call; `items` takes what it
// lists out of a response.
template <typename Request, typename Item, typename Page, typename Items>
absl::StatusOr<std::vector<Item>> AllPages(const Page& page,
                                           const Items& items) {
  Request request;
  request.set_page_size(kPageSize);
  std::vector<Item> all;
  do {
    MOEPROBE_ASSIGN_OR_RETURN(auto response, page(request));
    for (Item& item : *items(response)) all.push_back(std::move(item));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

}  // namespace

Client::Client(ClientOptions options, Cancellation& cancellation)
    : options_(std::move(options)),
      cancellation_(cancellation),
      channel_(Connect(options_)) {
  server_ = v1::ServerService::NewStub(channel_);
  datasets_ = v1::DatasetService::NewStub(channel_);
  jobs_ = v1::JobService::NewStub(channel_);
  results_ = v1::ResultService::NewStub(channel_);
  users_ = v1::UserService::NewStub(channel_);
}

absl::StatusOr<v1::Caller> Client::GetCaller() {
  return UnaryCall(options_, cancellation_, channel_)(
      *users_, &v1::UserService::Stub::GetCaller, v1::GetCallerRequest());
}

absl::StatusOr<v1::ServerInfo> Client::GetServerInfo() {
  return UnaryCall(options_, cancellation_, channel_)(
      *server_, &v1::ServerService::Stub::GetServerInfo,
      v1::GetServerInfoRequest());
}

absl::StatusOr<std::vector<v1::Model>> Client::ListModels() {
  return AllPages<v1::ListModelsRequest, v1::Model>(
      [&](const v1::ListModelsRequest& request) {
        return UnaryCall(options_, cancellation_, channel_)(
            *server_, &v1::ServerService::Stub::ListModels, request);
      },
      [](v1::ListModelsResponse& page) { return page.mutable_models(); });
}

absl::StatusOr<v1::Dataset> Client::GetDataset(const std::string& name) {
  v1::GetDatasetRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *datasets_, &v1::DatasetService::Stub::GetDataset, request);
}

absl::StatusOr<std::vector<v1::Dataset>> Client::ListDatasets() {
  return AllPages<v1::ListDatasetsRequest, v1::Dataset>(
      [&](const v1::ListDatasetsRequest& request) {
        return UnaryCall(options_, cancellation_, channel_)(
            *datasets_, &v1::DatasetService::Stub::ListDatasets, request);
      },
      [](v1::ListDatasetsResponse& page) { return page.mutable_datasets(); });
}

absl::StatusOr<v1::Dataset> Client::UploadDataset(
    const v1::Dataset& dataset,
    const std::function<absl::StatusOr<std::string>()>& next_piece) {
  grpc::ClientContext context;
  const Cancellation::Call call(cancellation_, context);
  Authorize(context, options_.token);
  v1::Dataset stored;
  const auto writer = datasets_->UploadDataset(&context, &stored);
  v1::UploadDatasetRequest message;
  *message.mutable_dataset() = dataset;
  // A write fails where the server has refused already: Finish says why.
  bool more = writer->Write(message);
  while (more) {
    absl::StatusOr<std::string> piece = next_piece();
    if (!piece.ok()) {
      context.TryCancel();
      writer->Finish();
      return piece.status();
    }
    if (piece->empty()) break;
    message.set_data(*std::move(piece));
    more = writer->Write(message);
  }
  writer->WritesDone();
  const absl::Status status = ToAbslStatus(writer->Finish());
  if (!status.ok()) return WithAddress(status, options_.address);
  return stored;
}

absl::StatusOr<v1::Model> Client::LoadModel(const std::string& name) {
  v1::LoadModelRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *server_, &v1::ServerService::Stub::LoadModel, request);
}

absl::StatusOr<v1::Model> Client::UnloadModel(const std::string& name) {
  v1::UnloadModelRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *server_, &v1::ServerService::Stub::UnloadModel, request);
}

absl::StatusOr<v1::Model> Client::PinModel(const std::string& name) {
  v1::PinModelRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *server_, &v1::ServerService::Stub::PinModel, request);
}

absl::StatusOr<v1::Model> Client::UnpinModel(const std::string& name) {
  v1::UnpinModelRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *server_, &v1::ServerService::Stub::UnpinModel, request);
}

absl::StatusOr<v1::Job> Client::CreateJob(const v1::Job& job,
                                          const std::string& request_id) {
  v1::CreateJobRequest request;
  *request.mutable_job() = job;
  request.set_request_id(request_id);
  return UnaryCall(options_, cancellation_, channel_)(
      *jobs_, &v1::JobService::Stub::CreateJob, request);
}

absl::StatusOr<v1::ValidateJobResponse> Client::ValidateJob(
    const v1::Job& job) {
  v1::ValidateJobRequest request;
  *request.mutable_job() = job;
  return UnaryCall(options_, cancellation_, channel_)(
      *jobs_, &v1::JobService::Stub::ValidateJob, request);
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& name) {
  v1::GetJobRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *jobs_, &v1::JobService::Stub::GetJob, request);
}

absl::StatusOr<std::vector<v1::Job>> Client::ListJobs() {
  return AllPages<v1::ListJobsRequest, v1::Job>(
      [&](const v1::ListJobsRequest& request) {
        return UnaryCall(options_, cancellation_, channel_)(
            *jobs_, &v1::JobService::Stub::ListJobs, request);
      },
      [](v1::ListJobsResponse& page) { return page.mutable_jobs(); });
}

absl::StatusOr<v1::Job> Client::CancelJob(const std::string& name) {
  v1::CancelJobRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *jobs_, &v1::JobService::Stub::CancelJob, request);
}

absl::StatusOr<v1::Job> Client::KeepJob(const std::string& name) {
  v1::KeepJobRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *jobs_, &v1::JobService::Stub::KeepJob, request);
}

absl::StatusOr<v1::Job> Client::UnkeepJob(const std::string& name) {
  v1::UnkeepJobRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *jobs_, &v1::JobService::Stub::UnkeepJob, request);
}

absl::Status Client::DeleteJob(const std::string& name) {
  v1::DeleteJobRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
             *jobs_, &v1::JobService::Stub::DeleteJob, request)
      .status();
}

absl::Status Client::WatchJob(
    const std::string& name,
    const std::function<void(const v1::JobEvent&)>& observe) {
  Retry retry(options_.stream_patience, cancellation_, channel_);
  v1::WatchJobRequest request;
  request.set_name(name);
  absl::Status status;
  do {
    grpc::ClientContext context;
    const Cancellation::Call call(cancellation_, context);
    Authorize(context, options_.token);
    const auto reader = jobs_->WatchJob(&context, request);
    v1::JobEvent event;
    bool ended = false;
    while (reader->Read(&event)) {
      if (event.sequence() > 0) {
        if (event.sequence() <= request.after_sequence()) continue;
        request.set_after_sequence(event.sequence());
      }
      retry.Restart();
      observe(event);
      ended = IsFinal(event.state());
    }
    status = ToAbslStatus(reader->Finish());
    if (ended) return absl::OkStatus();
    if (status.ok()) status = absl::UnavailableError("the stream ended early");
  } while (retry.Again(status));
  return WithAddress(status, options_.address);
}

absl::StatusOr<v1::Result> Client::GetResult(const std::string& name) {
  v1::GetResultRequest request;
  request.set_name(name);
  return UnaryCall(options_, cancellation_, channel_)(
      *results_, &v1::ResultService::Stub::GetResult, request);
}

ArrayStream Client::ReadArrays(const std::string& job_name,
                               const std::vector<v1::ArrayInfo>& arrays) {
  v1::ReadArraysRequest request;
  request.set_name(job_name);
  for (const v1::ArrayInfo& array : arrays) request.add_arrays(array.name());
  return {*results_, options_,
          Retry(options_.stream_patience, cancellation_, channel_),
          cancellation_, request};
}

bool IsFinal(v1::Job::State state) {
  return state == v1::Job::STATE_SUCCEEDED || state == v1::Job::STATE_FAILED ||
         state == v1::Job::STATE_CANCELLED;
}

}  // namespace moeprobe
