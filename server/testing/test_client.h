#ifndef MOEPROBE_SERVER_TESTING_TEST_CLIENT_H_
#define MOEPROBE_SERVER_TESTING_TEST_CLIENT_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "moeprobe/v1/dataset_service.grpc.pb.h"
#include "moeprobe/v1/job_service.grpc.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/server_service.grpc.pb.h"

namespace moeprobe {

// A client with a connection of its own, for tests. Every method is one call;
// `status()` is the status of the last. Not thread-safe.
class TestClient {
 public:
  explicit TestClient(const std::string& address);

  const grpc::Status& status() const { return status_; }

  v1::Job Create(const v1::AnalyzeSpec& spec,
                 const std::string& request_id = "");
  v1::ValidateJobResponse Validate(const v1::AnalyzeSpec& spec);
  v1::Job Get(const std::string& job);
  v1::ListJobsResponse List(int page_size, const std::string& page_token = "");
  v1::Job Cancel(const std::string& job);
  void Delete(const std::string& job);

  // Returns the events up to the end of the stream, or up to the first for
  // which `stop` is true.
  std::vector<v1::JobEvent> Watch(
      const std::string& job, int64_t after_sequence = 0,
      const std::function<bool(const v1::JobEvent&)>& stop = nullptr);

  v1::Result GetResult(const std::string& job);
  // Returns .npy bytes by array name.
  std::map<std::string, std::string> ReadArrays(
      const std::string& job, const std::vector<std::string>& names = {});
  // Size of the largest chunk that ReadArrays has seen.
  size_t largest_chunk_bytes() const { return largest_chunk_bytes_; }

  // Uploads with the digest and size of `bytes`.
  v1::Dataset Upload(v1::Dataset::Kind kind, const std::string& display_name,
                     const std::string& bytes);
  // Uploads `bytes` under any announcement.
  v1::Dataset UploadAs(const v1::Dataset& announced, const std::string& bytes);
  v1::ListDatasetsResponse ListDatasets(int page_size,
                                        const std::string& page_token = "");

  v1::ServerInfo GetServerInfo();
  v1::ListModelsResponse ListModels(int page_size,
                                    const std::string& page_token = "");
  void Unload(const std::string& model);
  v1::Model Pin(const std::string& model);
  v1::Model Unpin(const std::string& model);

 private:
  grpc::Status status_;
  size_t largest_chunk_bytes_ = 0;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::ResultService::Stub> results_;
  std::unique_ptr<v1::DatasetService::Stub> datasets_;
  std::unique_ptr<v1::ServerService::Stub> server_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TESTING_TEST_CLIENT_H_
