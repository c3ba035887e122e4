#ifndef MOEPROBE_SERVER_TESTING_SERVER_FIXTURE_H_
#define MOEPROBE_SERVER_TESTING_SERVER_FIXTURE_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/server.h"
#include "server/testing/test_client.h"
#include "server/testing/test_worker.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {

// A server in this process, with a client and a worker that are connected to
// it. Its models are "mixtral" and "llama", two layers each, and "broken"; its
// data set "ids.npy" has 64 token ids. `spec_` asks for the default analysis of
// mixtral on them.
class ServerFixture : public testing::Test {
 protected:
  void SetUp() override;

  // Starts a server on the data directory; the one before must be gone.
  void StartServer();

  // Creates a job with `spec_` and returns its name.
  std::string Create();

  // Claims a task, which must be there.
  v1::Task Claim();

  // Runs the oldest job to its end.
  void RunOne();

  v1::Job::State StateOf(const std::string& job);

  // Expect the last call to have ended so.
  void ExpectClientCode(grpc::StatusCode code);
  void ExpectWorkerCode(grpc::StatusCode code);

  TemporaryDirectory directory_;
  std::filesystem::path root_ = directory_.path() / "models";
  std::unique_ptr<Server> server_;
  std::unique_ptr<TestClient> client_;
  std::unique_ptr<TestWorker> worker_;
  v1::AnalyzeSpec spec_;
  int64_t memory_budget_bytes_ = 0;  // of servers to be started
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TESTING_SERVER_FIXTURE_H_
