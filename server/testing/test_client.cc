#include "server/testing/test_client.h"

#include <google/protobuf/empty.pb.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/sha256.h"

namespace moeprobe {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

// No call of a test takes longer.
struct Context : grpc::ClientContext {
  Context() {
    set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  }
};

}  // namespace

TestClient::TestClient(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments);
  jobs_ = v1::JobService::NewStub(channel);
  results_ = v1::ResultService::NewStub(channel);
  datasets_ = v1::DatasetService::NewStub(channel);
  server_ = v1::ServerService::NewStub(channel);
}

v1::Job TestClient::Create(const v1::AnalyzeSpec& spec,
                           const std::string& request_id) {
  Context context;
  v1::CreateJobRequest request;
  *request.mutable_job()->mutable_analyze() = spec;
  request.set_request_id(request_id);
  v1::Job job;
  status_ = jobs_->CreateJob(&context, request, &job);
  return job;
}

v1::ValidateJobResponse TestClient::Validate(const v1::AnalyzeSpec& spec) {
  Context context;
  v1::ValidateJobRequest request;
  *request.mutable_job()->mutable_analyze() = spec;
  v1::ValidateJobResponse response;
  status_ = jobs_->ValidateJob(&context, request, &response);
  return response;
}

v1::Job TestClient::Get(const std::string& name) {
  Context context;
  v1::GetJobRequest request;
  request.set_name(name);
  v1::Job job;
  status_ = jobs_->GetJob(&context, request, &job);
  return job;
}

v1::ListJobsResponse TestClient::List(int page_size,
                                      const std::string& page_token) {
  Context context;
  v1::ListJobsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  v1::ListJobsResponse response;
  status_ = jobs_->ListJobs(&context, request, &response);
  return response;
}

v1::Job TestClient::Cancel(const std::string& name) {
  Context context;
  v1::CancelJobRequest request;
  request.set_name(name);
  v1::Job job;
  status_ = jobs_->CancelJob(&context, request, &job);
  return job;
}

void TestClient::Delete(const std::string& name) {
  Context context;
  v1::DeleteJobRequest request;
  request.set_name(name);
  google::protobuf::Empty response;
  status_ = jobs_->DeleteJob(&context, request, &response);
}

std::vector<v1::JobEvent> TestClient::Watch(
    const std::string& name, int64_t after_sequence,
    const std::function<bool(const v1::JobEvent&)>& stop) {
  Context context;
  v1::WatchJobRequest request;
  request.set_name(name);
  request.set_after_sequence(after_sequence);
  const auto reader = jobs_->WatchJob(&context, request);
  std::vector<v1::JobEvent> events;
  v1::JobEvent event;
  while (reader->Read(&event)) {
    events.push_back(event);
    if (stop && stop(event)) context.TryCancel();
  }
  status_ = reader->Finish();
  return events;
}

v1::Result TestClient::GetResult(const std::string& name) {
  Context context;
  v1::GetResultRequest request;
  request.set_name(name);
  v1::Result result;
  status_ = results_->GetResult(&context, request, &result);
  return result;
}

std::map<std::string, std::string> TestClient::ReadArrays(
    const std::string& name, const std::vector<std::string>& names) {
  Context context;
  v1::ReadArraysRequest request;
  request.set_name(name);
  request.mutable_arrays()->Add(names.begin(), names.end());
  const auto reader = results_->ReadArrays(&context, request);
  std::map<std::string, std::string> arrays;
  std::string current;
  v1::ArrayChunk chunk;
  while (reader->Read(&chunk)) {
    if (chunk.has_info()) current = chunk.info().name();
    arrays[current] += chunk.data();
    largest_chunk_bytes_ = std::max(largest_chunk_bytes_, chunk.data().size());
  }
  status_ = reader->Finish();
  return arrays;
}

v1::Dataset TestClient::Upload(v1::Dataset::Kind kind,
                               const std::string& display_name,
                               const std::string& bytes) {
  v1::Dataset announced;
  announced.set_kind(kind);
  announced.set_display_name(display_name);
  announced.set_sha256(Sha256Hex(bytes));
  announced.set_size_bytes(static_cast<int64_t>(bytes.size()));
  return UploadAs(announced, bytes);
}

v1::Dataset TestClient::UploadAs(const v1::Dataset& announced,
                                 const std::string& bytes) {
  Context context;
  v1::Dataset dataset;
  const auto writer = datasets_->UploadDataset(&context, &dataset);
  v1::UploadDatasetRequest request;
  *request.mutable_dataset() = announced;
  bool open = writer->Write(request);
  for (size_t start = 0; open && start < bytes.size(); start += kChunkBytes) {
    request.set_data(bytes.substr(start, kChunkBytes));
    open = writer->Write(request);
  }
  writer->WritesDone();
  status_ = writer->Finish();
  return dataset;
}

v1::ListDatasetsResponse TestClient::ListDatasets(
    int page_size, const std::string& page_token) {
  Context context;
  v1::ListDatasetsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  v1::ListDatasetsResponse response;
  status_ = datasets_->ListDatasets(&context, request, &response);
  return response;
}

v1::ServerInfo TestClient::GetServerInfo() {
  Context context;
  v1::ServerInfo info;
  status_ = server_->GetServerInfo(&context, {}, &info);
  return info;
}

v1::ListModelsResponse TestClient::ListModels(int page_size,
                                              const std::string& page_token) {
  Context context;
  v1::ListModelsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  v1::ListModelsResponse response;
  status_ = server_->ListModels(&context, request, &response);
  return response;
}

void TestClient::Unload(const std::string& model) {
  Context context;
  v1::UnloadModelRequest request;
  request.set_name(model);
  v1::Model response;
  status_ = server_->UnloadModel(&context, request, &response);
}

v1::Model TestClient::Pin(const std::string& model) {
  Context context;
  v1::PinModelRequest request;
  request.set_name(model);
  v1::Model response;
  status_ = server_->PinModel(&context, request, &response);
  return response;
}

v1::Model TestClient::Unpin(const std::string& model) {
  Context context;
  v1::UnpinModelRequest request;
  request.set_name(model);
  v1::Model response;
  status_ = server_->UnpinModel(&context, request, &response);
  return response;
}

}  // namespace moeprobe
