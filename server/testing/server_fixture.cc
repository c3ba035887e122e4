#include "server/testing/server_fixture.h"

#include <grpcpp/support/status.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/server.h"
#include "server/testing/test_client.h"
#include "server/testing/test_worker.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

constexpr int64_t kWorkerPid = 4711;

}  // namespace

void ServerFixture::SetUp() {
  WriteTinyModel(root_ / "mixtral", MakeTinyModel("mixtral"));
  WriteTinyModel(root_ / "llama", MakeTinyModel("llama"));
  WriteBytes(root_ / "mixtral/tokenizer.json", "{}");
  std::filesystem::create_directories(root_ / "broken");
  WriteBytes(root_ / "broken/config.json", "{");
  StartServer();
  std::vector<int32_t> ids(64);
  std::iota(ids.begin(), ids.end(), 0);
  client_->Upload(v1::Dataset::KIND_IDS, "ids.npy", EncodeTokenIds(ids));
  ASSERT_TRUE(client_->status().ok()) << client_->status().error_message();
  spec_.set_model("mixtral");
  spec_.add_data()->set_ids("ids.npy");
  spec_.mutable_data(0)->set_sequence_length(16);
}

void ServerFixture::StartServer() {
  auto server = Server::Start(
      {.data_directory = directory_.path() / "data",
       .model_roots = {root_},
       .addresses = {absl::StrCat("unix:", (directory_.path() / "s").string())},
       .listen = {},
       .worker_count = 0,
       .worker_binary = {},
       .memory_budget = {.bytes = memory_budget_bytes_},
       .metrics_address = {},
       .drain_patience = {}});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  client_ = std::make_unique<TestClient>(server_->addresses()[0]);
  worker_ = std::make_unique<TestWorker>(server_->worker_address(), kWorkerPid);
}

std::string ServerFixture::Create() {
  const v1::Job job = client_->Create(spec_);
  EXPECT_TRUE(client_->status().ok()) << client_->status().error_message();
  return job.name();
}

v1::Task ServerFixture::Claim() {
  const auto task = worker_->Claim();
  EXPECT_TRUE(task.has_value()) << worker_->status().error_message();
  return task.value_or(v1::Task());
}

void ServerFixture::RunOne() {
  worker_->Run(Claim());
  ASSERT_TRUE(worker_->status().ok()) << worker_->status().error_message();
}

v1::Job::State ServerFixture::StateOf(const std::string& job) {
  return client_->Get(job).state();
}

void ServerFixture::ExpectClientCode(grpc::StatusCode code) {
  EXPECT_EQ(client_->status().error_code(), code)
      << client_->status().error_message();
}

void ServerFixture::ExpectWorkerCode(grpc::StatusCode code) {
  EXPECT_EQ(worker_->status().error_code(), code)
      << worker_->status().error_message();
}

}  // namespace moeprobe
