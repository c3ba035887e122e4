#ifndef MOEPROBE_SERVER_TESTING_TEST_WORKER_H_
#define MOEPROBE_SERVER_TESTING_TEST_WORKER_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.grpc.pb.h"

namespace moeprobe {

// A worker that computes nothing: what it publishes depends on the name of the
// array alone. For tests. Not thread-safe.
class TestWorker {
 public:
  // `address`: see ConnectToServer; there must be a server.
  TestWorker(const std::string& address, int64_t pid);

  const grpc::Status& status() const { return status_; }

  // Waits at most so long for a task.
  std::optional<v1::Task> Claim(absl::Duration wait = absl::Seconds(20));

  // Returns whether to stop.
  bool Report(const v1::Task& task, const std::string& phase, double fraction);

  void StoreTokens(const v1::Task& task, const std::string& text_sha256,
                   const std::string& tokenizer_sha256,
                   const std::string& ids_path);

  // Publishes an array for each group of a layer, named
  // "layer{layer}/{group}/numbers", or the loss for layer -1.
  void Publish(const v1::Task& task, int part, int layer);

  // Publishes one array with any bytes and any announcement.
  void PublishArray(const v1::Task& task, int layer, const v1::ArrayInfo& info,
                    const std::string& npy);

  // Publishes every layer of a part, and its loss if that was asked for.
  void PublishPart(const v1::Task& task, int part);

  // Publishes everything and finishes.
  void Run(const v1::Task& task);

  void Finish(const v1::Task& task);
  void Fail(const v1::Task& task, int code, const std::string& message);

 private:
  int64_t pid_;
  grpc::Status status_;
  std::unique_ptr<v1::WorkerService::Stub> stub_;
};

// Returns the .npy that the worker publishes under `array_name`: [2] doubles.
std::string NpyOfTestWorker(const std::string& array_name);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TESTING_TEST_WORKER_H_
