#include "client/testing/fake_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "core/base/sha256.h"

namespace moeprobe {
namespace {

constexpr size_t kChunkSize = 5;

bool TurnsAway(FakeServerState& state) {
  return state.unavailable_calls.fetch_sub(1) > 0;
}

grpc::Status Away() { return {grpc::StatusCode::UNAVAILABLE, "restarting"}; }

class FakeJobs final : public v1::JobService::Service {
 public:
  explicit FakeJobs(FakeServerState& state) : state_(state) {}

  grpc::Status CreateJob(grpc::ServerContext* /*context*/,
                         const v1::CreateJobRequest* request,
                         v1::Job* response) override {
    state_.request_ids.push_back(request->request_id());
    if (TurnsAway(state_)) return Away();
    if (state_.validation.violations_size() > 0) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "violations"};
    }
    state_.created = request->job();
    *response = state_.job;
    return grpc::Status::OK;
  }

  grpc::Status ValidateJob(grpc::ServerContext* /*context*/,
                           const v1::ValidateJobRequest* /*request*/,
                           v1::ValidateJobResponse* response) override {
    *response = state_.validation;
    return grpc::Status::OK;
  }

  grpc::Status GetJob(grpc::ServerContext* /*context*/,
                      const v1::GetJobRequest* request,
                      v1::Job* response) override {
    if (TurnsAway(state_)) return Away();
    if (request->name() != state_.job.name()) {
      return {grpc::StatusCode::NOT_FOUND, "there is no " + request->name()};
    }
    *response = state_.job;
    return grpc::Status::OK;
  }

  // Pages of two, whatever the request says.
  grpc::Status ListJobs(grpc::ServerContext* /*context*/,
                        const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override {
    const int first =
        request->page_token().empty() ? 0 : std::stoi(request->page_token());
    for (int i = first; i < first + 2 && i < state_.job_count; ++i) {
      response->add_jobs()->set_name("jobs/" +
                                     std::to_string(state_.job_count - i));
    }
    if (first + 2 < state_.job_count) {
      response->set_next_page_token(std::to_string(first + 2));
    }
    return grpc::Status::OK;
  }

  // After the last event a job that has not ended waits to be cancelled.
  grpc::Status WatchJob(grpc::ServerContext* context,
                        const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobEvent>* writer) override {
    if (TurnsAway(state_)) return Away();
    int sent = 0;
    for (const v1::JobEvent& event : state_.events) {
      if (event.sequence() > 0 &&
          event.sequence() <= request->after_sequence()) {
        continue;
      }
      if (state_.events_before_break > 0 &&
          sent++ == state_.events_before_break) {
        return Away();
      }
      writer->Write(event);
      if (event.state() == v1::Job::STATE_SUCCEEDED) return grpc::Status::OK;
      if (event.state() == v1::Job::STATE_FAILED) return grpc::Status::OK;
    }
    while (!context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return grpc::Status::CANCELLED;
  }

 private:
  FakeServerState& state_;
};

class FakeDatasets final : public v1::DatasetService::Service {
 public:
  explicit FakeDatasets(FakeServerState& state) : state_(state) {}

  grpc::Status GetDataset(grpc::ServerContext* /*context*/,
                          const v1::GetDatasetRequest* request,
                          v1::Dataset* response) override {
    if (!state_.datasets.contains(request->name())) {
      return {grpc::StatusCode::NOT_FOUND, "there is no " + request->name()};
    }
    response->set_name(request->name());
    return grpc::Status::OK;
  }

  grpc::Status UploadDataset(grpc::ServerContext* /*context*/,
                             grpc::ServerReader<v1::UploadDatasetRequest>* in,
                             v1::Dataset* response) override {
    ++state_.upload_count;
    v1::UploadDatasetRequest message;
    in->Read(&message);
    *response = message.dataset();
    std::string bytes;
    while (in->Read(&message)) bytes += message.data();
    if (Sha256Hex(bytes) != response->sha256()) {
      return {grpc::StatusCode::DATA_LOSS, "wrong digest"};
    }
    state_.datasets[response->name()] = bytes;
    return grpc::Status::OK;
  }

 private:
  FakeServerState& state_;
};

class FakeResults final : public v1::ResultService::Service {
 public:
  explicit FakeResults(FakeServerState& state) : state_(state) {}

  grpc::Status GetResult(grpc::ServerContext* /*context*/,
                         const v1::GetResultRequest* /*request*/,
                         v1::Result* response) override {
    *response->mutable_job() = state_.job;
    for (const auto& [name, bytes] : state_.arrays) {
      *response->add_arrays() = Info(name);
    }
    for (const v1::SummaryRow& row : state_.summary) {
      *response->add_summary() = row;
    }
    return grpc::Status::OK;
  }

  grpc::Status ReadArrays(grpc::ServerContext* /*context*/,
                          const v1::ReadArraysRequest* request,
                          grpc::ServerWriter<v1::ArrayChunk>* out) override {
    const auto call = static_cast<size_t>(state_.read_count++);
    int left = call < state_.chunks_before_break.size()
                   ? state_.chunks_before_break[call]
                   : std::numeric_limits<int>::max();
    for (const std::string& name : request->arrays()) {
      std::string bytes = state_.arrays.at(name);
      if (state_.damage_arrays) bytes.back() ^= 1;
      for (size_t i = 0; i < bytes.size(); i += kChunkSize) {
        if (left-- == 0) return Away();
        v1::ArrayChunk chunk;
        if (i == 0) *chunk.mutable_info() = Info(name);
        chunk.set_data(bytes.substr(i, kChunkSize));
        out->Write(chunk);
      }
    }
    return grpc::Status::OK;
  }

 private:
  v1::ArrayInfo Info(const std::string& name) const {
    const std::string& bytes = state_.arrays.at(name);
    v1::ArrayInfo info;
    info.set_name(name);
    info.set_sha256(Sha256Hex(bytes));
    info.set_size_bytes(static_cast<int64_t>(bytes.size()));
    return info;
  }

  FakeServerState& state_;
};

}  // namespace

FakeServer::FakeServer(FakeServerState& state)
    : jobs_(std::make_unique<FakeJobs>(state)),
      datasets_(std::make_unique<FakeDatasets>(state)),
      results_(std::make_unique<FakeResults>(state)) {
  std::string pattern =
      std::filesystem::temp_directory_path() / "fake-server-XXXXXX";
  directory_ = mkdtemp(pattern.data());
  address_ = "unix:" + directory_ + "/socket";
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(jobs_.get());
  builder.RegisterService(datasets_.get());
  builder.RegisterService(results_.get());
  server_ = builder.BuildAndStart();
}

FakeServer::~FakeServer() {
  server_->Shutdown();
  std::filesystem::remove_all(directory_);
}

}  // namespace moeprobe
