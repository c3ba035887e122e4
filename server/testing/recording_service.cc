#include "server/testing/recording_service.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

RecordingService::RecordingService(const std::filesystem::path& path)
    : address_(absl::StrCat("unix:", path.string())) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

void RecordingService::Cancel() {
  const MutexLock lock(mutex_);
  cancelled_ = true;
}

void RecordingService::RefuseReports(const grpc::Status& refusal) {
  const MutexLock lock(mutex_);
  refusal_ = refusal;
}

RecordingService::Arrays RecordingService::arrays() const {
  const MutexLock lock(mutex_);
  return arrays_;
}

std::map<std::pair<int, int>, v1::FinishedLayer> RecordingService::layers()
    const {
  const MutexLock lock(mutex_);
  return layers_;
}

void RecordingService::AskBack() {
  const MutexLock lock(mutex_);
  asks_back_ = true;
}

std::vector<v1::Progress> RecordingService::progress() const {
  const MutexLock lock(mutex_);
  return progress_;
}

v1::FinishTaskRequest RecordingService::finish() const {
  const MutexLock lock(mutex_);
  return finish_;
}

grpc::Status RecordingService::ReportTask(grpc::ServerContext* /*context*/,
                                          const v1::ReportTaskRequest* request,
                                          v1::ReportTaskResponse* response) {
  const MutexLock lock(mutex_);
  progress_.push_back(request->progress());
  response->set_cancel(cancelled_);
  response->set_give_back(asks_back_);
  if (asks_back_) ++asked_back_count_;
  asked_back_.notify_all();
  return refusal_;
}

grpc::Status RecordingService::PublishLayer(
    grpc::ServerContext* /*context*/,
    grpc::ServerReader<v1::PublishLayerRequest>* reader,
    v1::PublishLayerResponse* /*response*/) {
  v1::FinishedLayer layer;
  std::map<std::string, std::string> arrays;
  std::string* current = nullptr;
  v1::PublishLayerRequest message;
  while (reader->Read(&message)) {
    if (message.has_layer()) layer = message.layer();
    if (message.chunk().has_info()) {
      current = &arrays[message.chunk().info().name()];
    }
    if (current != nullptr) *current += message.chunk().data();
  }
  const std::pair<int, int> place{layer.part(), layer.layer()};
  const MutexLock lock(mutex_);
  // A second report: the answer to the first has arrived.
  while (asks_back_ && asked_back_count_ < 2) asked_back_.wait(mutex_);
  layers_[place] = layer;
  for (auto& [name, bytes] : arrays) arrays_[place][name] = std::move(bytes);
  return grpc::Status::OK;
}

grpc::Status RecordingService::FinishTask(
    grpc::ServerContext* /*context*/, const v1::FinishTaskRequest* request,
    v1::FinishTaskResponse* /*response*/) {
  const MutexLock lock(mutex_);
  finish_ = *request;
  return grpc::Status::OK;
}

}  // namespace moeprobe
