#ifndef MOEPROBE_SERVER_TESTING_RECORDING_SERVICE_H_
#define MOEPROBE_SERVER_TESTING_RECORDING_SERVICE_H_

#include <grpcpp/server.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "moeprobe/v1/worker_service.grpc.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// What a worker calls, without a server behind it: it remembers what it is
// told. For tests. Thread-safe.
class RecordingService final : public v1::WorkerService::Service {
 public:
  // Listens on a socket at `path`.
  explicit RecordingService(const std::filesystem::path& path);

  // To connect to.
  const std::string& address() const { return address_; }

  // From now on workers hear that the job is cancelled.
  void Cancel();

  // From now on reports end so.
  void RefuseReports(const grpc::Status& refusal);

  // From now on workers hear that the task is wanted back; no layer is taken
  // before they have heard it.
  void AskBack();

  // .npy bytes by part, layer and name.
  using Arrays =
      std::map<std::pair<int, int>, std::map<std::string, std::string>>;
  Arrays arrays() const;
  // Of layers, by part and layer.
  std::map<std::pair<int, int>, v1::FinishedLayer> layers() const;
  std::vector<v1::Progress> progress() const;
  // The last one.
  v1::FinishTaskRequest finish() const;

  grpc::Status ReportTask(grpc::ServerContext* context,
                          const v1::ReportTaskRequest* request,
                          v1::ReportTaskResponse* response) override;
  grpc::Status PublishLayer(grpc::ServerContext* context,
                            grpc::ServerReader<v1::PublishLayerRequest>* reader,
                            v1::PublishLayerResponse* response) override;
  grpc::Status FinishTask(grpc::ServerContext* context,
                          const v1::FinishTaskRequest* request,
                          v1::FinishTaskResponse* response) override;

 private:
  std::string address_;
  mutable Mutex mutex_;
  grpc::Status refusal_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool asks_back_ ABSL_GUARDED_BY(mutex_) = false;
  int asked_back_count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::condition_variable_any asked_back_;
  Arrays arrays_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<int, int>, v1::FinishedLayer> layers_
      ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Progress> progress_ ABSL_GUARDED_BY(mutex_);
  v1::FinishTaskRequest finish_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TESTING_RECORDING_SERVICE_H_
