#include "tests/fuzz/service_fuzz.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "server/testing/server_fixture.h"
#include "tests/fuzz/call_mutator.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tests/fuzz/parser_fuzz.h"
#include "tests/fuzz/raw_call.h"
#include "tests/fuzz/seed_calls.h"
#include "tests/fuzz/service_methods.h"

namespace moeprobe {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;

// Between two stages.
constexpr int64_t kCallsOfAStage = 32;

// No call takes longer, however slow the machine is.
constexpr std::chrono::seconds kPatience{120};
// For those that wait until the deadline.
constexpr std::chrono::milliseconds kShortWait{250};

const std::set<std::string>& WaitingMethods() {
  static const auto& methods =
      *new std::set<std::string>{"/moeprobe.v1.JobService/WatchJob",
                                 "/moeprobe.v1.WorkerService/ClaimTask"};
  return methods;
}

const std::string& BackupPath() {
  static const auto& path =
      *new std::string("/moeprobe.v1.AdminService/CreateBackup");
  return path;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
}

std::vector<std::string> WordsOf(const Stage& stage) {
  return {stage.finished_job,
          stage.task.job(),
          stage.dataset,
          "jobs/999999",
          "jobs/-1",
          "users/ann",
          "users/root",
          "models/mixtral",
          "mixtral",
          "llama",
          "broken",
          "ids.npy",
          "routing.temperature",
          "probes.pca.components",
          "layers",
          "0.5",
          "nan",
          "1e999",
          "-1",
          "18446744073709551616",
          "top",
          "layer0/routing",
          "layer0/jacobian/all/mean",
          "routing",
          "nll",
          "jacobian/all",
          "bytes",
          "../../etc/passwd",
          "/dev/zero",
          "\xff\xfe",
          std::string("a\0b", 3),
          "a\nb\x1b[31m",
          "%s%n",
          "' OR 1=1 --",
          std::string(64, 'f')};
}

bool Parses(const MethodDescriptor& method, const std::string& bytes) {
  const std::unique_ptr<Message> message(MessageFactory::generated_factory()
                                             ->GetPrototype(method.input_type())
                                             ->New());
  return message->ParseFromString(bytes);
}

std::string TextOf(const RawCall& call) {
  std::string text = call.path;
  for (const std::string& request : call.requests) {
    absl::StrAppend(&text, "\n", absl::CEscape(request));
  }
  return text;
}

void ExpectReasonable(const MethodDescriptor& method, const RawCall& call,
                      const grpc::Status& status) {
  const bool parses = std::ranges::all_of(
      call.requests,
      [&](const std::string& bytes) { return Parses(method, bytes); });
  const bool waits = WaitingMethods().contains(call.path);
  const std::string what = absl::StrCat(call.path, ": ", status.error_code(),
                                        " ", status.error_message());
  switch (status.error_code()) {
    // gRPC's answers to what is no message, without and with a reactor.
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNIMPLEMENTED:
      EXPECT_FALSE(parses) << what;
      break;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      EXPECT_TRUE(waits) << what;
      break;
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::UNAVAILABLE:
      ADD_FAILURE() << what;
      break;
    default:
      ExpectOneLine(
          absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                       status.error_message()));
  }
}

// Ids that no job has had yet, of the 16 that there are.
std::vector<int32_t> NewIds(int64_t count) {
  std::vector<int32_t> ids(64);
  for (int32_t& id : ids) {
    id = static_cast<int32_t>(count % 16);
    count /= 16;
  }
  return ids;
}

}  // namespace

void ServiceFuzz::SetUp() {
  google::protobuf::SetLogHandler(nullptr);
  ServerFixture::SetUp();
  own_channel_ = Connect(
      absl::StrCat("unix:", (directory_.path() / "data/admin.sock").native()));
  workers_channel_ = Connect(server_->worker_address());
  stage_.spec = spec_;
  Restage();
}

void ServiceFuzz::Fuzz(const Methods& methods, int64_t call_count) {
  FuzzLoop loop(call_count);
  CallMutator mutator(loop.seed(), WordsOf(stage_));
  while (loop.Next()) {
    const MethodDescriptor& method =
        *methods[static_cast<size_t>(loop.count()) % methods.size()];
    if (loop.count() % kCallsOfAStage == 0) Restage();
    const std::string path = PathOf(method);
    ASSERT_TRUE(seeds_.contains(path)) << path << " has no seed";
    const RawCall call{
        .path = path,
        .requests = mutator.Mutate(seeds_.at(path)),
        .limit = WaitingMethods().contains(path) ? kShortWait : kPatience};
    if (!IsHarmless(call)) continue;
    loop.Keep(TextOf(call));
    const bool is_of_workers = absl::StrContains(call.path, "WorkerService");
    ExpectReasonable(
        method, call,
        Send(is_of_workers ? workers_channel_ : own_channel_, call));
  }
  if (!HasFailure()) Restage();
}

// A backup is written where the call says, with the rights of this process.
bool ServiceFuzz::IsHarmless(const RawCall& call) const {
  if (call.path != BackupPath()) return true;
  v1::CreateBackupRequest request;
  request.ParseFromString(call.requests[0]);
  const auto target =
      std::filesystem::path(request.directory()).lexically_normal();
  return !target.is_absolute() ||
         absl::StartsWith(target.native(), directory_.path().native());
}

void ServiceFuzz::Restage() {
  EndOtherJobs();
  if (StateOf(stage_.finished_job) != v1::Job::STATE_SUCCEEDED) {
    AddRunningJob();
    worker_->Run(stage_.task);
    ASSERT_TRUE(worker_->status().ok()) << worker_->status().error_message();
    stage_.finished_job = stage_.task.job();
  }
  AddRunningJob();
  stage_.new_directory =
      directory_.path() / absl::StrCat("backup", stage_count_);
  seeds_ = SeedCalls(stage_);
}

// Those that other workers were given stay with them until they are asked.
void ServiceFuzz::EndOtherJobs() {
  if (!stage_.task.job().empty()) {
    worker_->Fail(stage_.task, grpc::StatusCode::CANCELLED, "stop");
  }
  const v1::ListJobsResponse list = client_->List(1000);
  for (const v1::Job& job : list.jobs()) {
    if (job.name() == stage_.finished_job) continue;
    client_->Cancel(job.name());
    client_->Delete(job.name());
  }
}

void ServiceFuzz::AddRunningJob() {
  const std::string name = absl::StrCat("ids", ++stage_count_, ".npy");
  const v1::Dataset dataset = client_->Upload(
      v1::Dataset::KIND_IDS, name, EncodeTokenIds(NewIds(stage_count_)));
  ASSERT_TRUE(client_->status().ok()) << client_->status().error_message();
  stage_.dataset = dataset.name();
  spec_.mutable_data(0)->set_ids(name);
  const std::string job = Create();
  stage_.task = Claim();
  ASSERT_EQ(stage_.task.job(), job);
}

}  // namespace moeprobe
