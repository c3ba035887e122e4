#ifndef MOEPROBE_CLIENT_SERVICE_CLIENT_H_
#define MOEPROBE_CLIENT_SERVICE_CLIENT_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/array_stream.h"
#include "client/service/cancellation.h"
#include "client/service/client_options.h"
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

// A server's methods. Calls that find no server are tried again, all but
// uploads; all are safe to repeat. Errors are those of the method
// (proto/moeprobe/v1), Unavailable, or Cancelled where `cancellation` was; of
// calls that answer once, also DeadlineExceeded after 30 s. Uploads and streams
// may take any time. Thread-safe.
class Client {
 public:
  // Connects on first use. `cancellation` must outlive the client.
  Client(ClientOptions options, Cancellation& cancellation);

  const std::string& address() const { return options_.address; }

  // Who the client is to the server.
  absl::StatusOr<v1::Caller> GetCaller();

  absl::StatusOr<v1::ServerInfo> GetServerInfo();
  absl::StatusOr<std::vector<v1::Model>> ListModels();
  // See the methods of ServerService.
  absl::StatusOr<v1::Model> LoadModel(const std::string& name);
  absl::StatusOr<v1::Model> UnloadModel(const std::string& name);
  absl::StatusOr<v1::Model> PinModel(const std::string& name);
  absl::StatusOr<v1::Model> UnpinModel(const std::string& name);

  absl::StatusOr<v1::Dataset> GetDataset(const std::string& name);
  absl::StatusOr<std::vector<v1::Dataset>> ListDatasets();

  // Uploads a data set of `dataset.size_bytes` bytes in the pieces that
  // `next_piece` returns, at most 1 MiB each, the empty one last. Is not tried
  // again.
  absl::StatusOr<v1::Dataset> UploadDataset(
      const v1::Dataset& dataset,
      const std::function<absl::StatusOr<std::string>()>& next_piece);

  // Of `job`, only what a request says is looked at. `request_id` makes
  // repetitions create one job only.
  absl::StatusOr<v1::Job> CreateJob(const v1::Job& job,
                                    const std::string& request_id);
  absl::StatusOr<v1::ValidateJobResponse> ValidateJob(const v1::Job& job);
  absl::StatusOr<v1::Job> GetJob(const std::string& name);
  absl::StatusOr<std::vector<v1::Job>> ListJobs();
  absl::StatusOr<v1::Job> CancelJob(const std::string& name);
  absl::StatusOr<v1::Job> KeepJob(const std::string& name);
  absl::StatusOr<v1::Job> UnkeepJob(const std::string& name);
  absl::Status DeleteJob(const std::string& name);

  // Calls `observe` with every event of a job, in order, each once, and between
  // them with progress that has no place in its history, until the event of its
  // final state. A stream that breaks is taken up again after the
  // last event seen.
  absl::Status WatchJob(
      const std::string& name,
      const std::function<void(const v1::JobEvent&)>& observe);

  absl::StatusOr<v1::Result> GetResult(const std::string& name);

  // Starts to read arrays of a job, at least one, in this order. The client
  // must outlive the stream.
  ArrayStream ReadArrays(const std::string& job_name,
                         const std::vector<v1::ArrayInfo>& arrays);

 private:
  ClientOptions options_;
  Cancellation& cancellation_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ServerService::Stub> server_;
  std::unique_ptr<v1::DatasetService::Stub> datasets_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::ResultService::Stub> results_;
  std::unique_ptr<v1::UserService::Stub> users_;
};

// Whether a job in this state will not change any more.
bool IsFinal(v1::Job::State state);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_CLIENT_H_
