// Jobs and their results over a real connection, with a worker that computes
// nothing.

#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <latch>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/server_fixture.h"
#include "server/testing/test_client.h"
#include "server/testing/test_worker.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

using JobServiceTest = ServerFixture;

TEST_F(JobServiceTest, RunsAJobFromEndToEnd) {
  spec_.set_baseline("llama");
  const std::string job = Create();
  EXPECT_EQ(job, "jobs/1");
  RunOne();
  EXPECT_EQ(StateOf(job), v1::Job::STATE_SUCCEEDED);
  const v1::Result result = client_->GetResult(job);
  EXPECT_EQ(result.provenance().size(), 2);
  const auto arrays = client_->ReadArrays(job);
  EXPECT_EQ(static_cast<int>(arrays.size()), result.arrays_size());
  const std::string name = "baseline/layer1/pca/routed/numbers";
  ASSERT_TRUE(arrays.contains(name));
  EXPECT_EQ(arrays.at(name), NpyOfTestWorker("layer1/pca/routed/numbers"));
  EXPECT_TRUE(arrays.contains("nll"));
  EXPECT_TRUE(arrays.contains("baseline/nll"));
}

TEST_F(JobServiceTest, SummarisesWhatHasAMean) {
  spec_.mutable_probes()->mutable_routing();
  const std::string job = Create();
  RunOne();
  const v1::Result result = client_->GetResult(job);
  ASSERT_EQ(result.summary().size(), 3);
  EXPECT_EQ(result.summary(0).layer(), -1);
  EXPECT_EQ(result.summary(2).layer(), 1);
  EXPECT_EQ(result.summary(2).quantity(), "routing/numbers");
  // The numbers are the length of the array's name, 22, and 1.
  EXPECT_DOUBLE_EQ(result.summary(2).mean(), 11.5);
}

TEST_F(JobServiceTest, AnswersTheSecondIdenticalRequestFromTheCache) {
  const std::string first = Create();
  RunOne();
  spec_.set_name("another label");
  const v1::Job second = client_->Create(spec_);
  EXPECT_EQ(second.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(second.cached());
  EXPECT_EQ(client_->ReadArrays(second.name()), client_->ReadArrays(first));
  const v1::Result result = client_->GetResult(second.name());
  ASSERT_EQ(result.provenance().size(), 1);
  EXPECT_EQ(result.provenance(0).token_count(), 64);
  EXPECT_EQ(result.provenance(0).environment().at("device"), "cpu");
  EXPECT_TRUE(result.provenance(0).has_nll());
}

TEST_F(JobServiceTest, ComputesIdenticalRequestsInFlightOnce) {
  Create();
  const std::string second = Create();
  const v1::Task task = Claim();
  TestWorker other(server_->worker_address(), 1);
  EXPECT_FALSE(other.Claim(absl::Milliseconds(400)).has_value());
  EXPECT_EQ(StateOf(second), v1::Job::STATE_QUEUED);
  worker_->Run(task);
  EXPECT_EQ(StateOf(second), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(client_->Get(second).cached());
}

TEST_F(JobServiceTest, CancelsAQueuedJobAtOnce) {
  const std::string job = Create();
  EXPECT_EQ(client_->Cancel(job).state(), v1::Job::STATE_CANCELLED);
  EXPECT_FALSE(worker_->Claim(absl::Milliseconds(400)).has_value());
  EXPECT_EQ(client_->Cancel(job).state(), v1::Job::STATE_CANCELLED);
}

TEST_F(JobServiceTest, RefusesAJobThatIsWrongWithAllReasons) {
  spec_.set_model("mixtal");
  spec_.set_seed(-1);
  client_->Create(spec_);
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(client_->status().error_message(),
              testing::AllOf(HasSubstr("seed: -1"), HasSubstr("\"mixtral\"?")));
  const auto checked = client_->Validate(spec_);
  EXPECT_TRUE(client_->status().ok());
  EXPECT_EQ(checked.violations().size(), 2);
  EXPECT_FALSE(checked.has_job());
  EXPECT_EQ(client_->List(0).jobs().size(), 0);
}

TEST_F(JobServiceTest, TellsUnknownFromUnusable) {
  spec_.set_model("nothing");
  client_->Create(spec_);
  ExpectClientCode(grpc::StatusCode::NOT_FOUND);
  spec_.set_model("broken");
  client_->Create(spec_);
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("config.json"));
}

TEST_F(JobServiceTest, ChecksWithoutChangingAnything) {
  const auto checked = client_->Validate(spec_);
  EXPECT_EQ(checked.job().analyze().data(0).tokens(), 16384);
  EXPECT_EQ(checked.violations().size(), 0);
  EXPECT_EQ(client_->List(0).jobs().size(), 0);
}

TEST_F(JobServiceTest, EstimatesWhatAJobWillTakeOnceAWorkerHasCome) {
  EXPECT_FALSE(client_->Validate(spec_).has_estimate());
  Create();
  const v1::Task task = Claim();
  const v1::Estimate estimate = client_->Validate(spec_).estimate();
  EXPECT_GT(estimate.seconds(), 0);
  EXPECT_GT(estimate.peak_memory_bytes(), 1'000'000);
  EXPECT_GT(estimate.disk_read_bytes(), 0);
  EXPECT_GT(estimate.disk_write_bytes(), 0);
  EXPECT_GT(estimate.group_count(), 0);
  EXPECT_EQ(estimate.cached_group_count(), 0);
  EXPECT_DOUBLE_EQ(client_->Get(task.job()).estimated_seconds(),
                   estimate.seconds());
}

TEST_F(JobServiceTest, EstimatesNoMoreTokensThanThereAre) {
  Create();
  const v1::Task task = Claim();
  const auto seconds = [&](int64_t count) {
    v1::ProbeSpec& probes = *spec_.mutable_probes();
    probes.mutable_jacobian()->set_tokens(count);
    probes.mutable_spectra()->set_tokens_per_expert(count);
    probes.mutable_router_term()->set_tokens(count);
    probes.mutable_redundancy()->set_tokens(count);
    probes.mutable_interventions()->set_tokens(count);
    return client_->Validate(spec_).estimate().seconds();
  };
  EXPECT_EQ(task.parts().size(), 1);
  EXPECT_GT(seconds(1 << 20), 0);
  EXPECT_EQ(seconds(std::numeric_limits<int64_t>::max()), seconds(1 << 20));
}

TEST_F(JobServiceTest, EstimatesNothingForWhatIsThere) {
  Create();
  RunOne();
  const v1::Estimate estimate = client_->Validate(spec_).estimate();
  EXPECT_EQ(estimate.seconds(), 0);
  EXPECT_EQ(estimate.peak_memory_bytes(), 0);
  EXPECT_EQ(estimate.cached_group_count(), estimate.group_count());
}

TEST_F(JobServiceTest, LearnsFromJobsOfTheSameModel) {
  Create();
  const v1::Task task = Claim();
  spec_.set_seed(1);
  spec_.mutable_probes()->mutable_spectra();
  const double before = client_->Validate(spec_).estimate().seconds();
  worker_->Run(task);  // much faster than it should be
  const double after = client_->Validate(spec_).estimate().seconds();
  EXPECT_GT(after, 0);
  EXPECT_LT(after, before);
}

TEST_F(JobServiceTest, CreatesOneJobForOneRequestId) {
  const std::string id = "123e4567-e89b-12d3-a456-426614174000";
  const v1::Job first = client_->Create(spec_, id);
  EXPECT_EQ(client_->Create(spec_, id).name(), first.name());
  std::filesystem::remove_all(root_ / "mixtral");
  EXPECT_EQ(client_->Create(spec_, id).name(), first.name());
  spec_.set_name("another");
  client_->Create(spec_, id);
  ExpectClientCode(grpc::StatusCode::ALREADY_EXISTS);
  client_->Create(spec_, "not-a-uuid");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(JobServiceTest, CreatesOneJobForParallelRequestsWithOneId) {
  std::vector<std::future<std::string>> names(20);
  for (auto& name : names) {
    name = std::async(std::launch::async, [&] {
      return TestClient(server_->addresses()[0])
          .Create(spec_, "123e4567-e89b-12d3-a456-426614174000")
          .name();
    });
  }
  for (auto& name : names) EXPECT_EQ(name.get(), "jobs/1");
}

TEST_F(JobServiceTest, TellsThePlaceOfAJobWhenAsked) {
  constexpr const char* kId = "123e4567-e89b-12d3-a456-426614174000";
  Create();
  const v1::Job created = client_->Create(spec_, kId);
  EXPECT_FALSE(created.has_queue_position());
  EXPECT_FALSE(client_->Create(spec_, kId).has_queue_position());
  EXPECT_EQ(client_->Get(created.name()).queue_position(), 1);
}

TEST_F(JobServiceTest, ListsJobsInPages) {
  for (int i = 0; i < 3; ++i) Create();
  const auto first = client_->List(2);
  EXPECT_EQ(first.jobs().size(), 2);
  EXPECT_EQ(first.jobs(0).name(), "jobs/3");
  EXPECT_EQ(first.jobs(0).queue_position(), 2);
  const auto second = client_->List(2, first.next_page_token());
  EXPECT_EQ(second.jobs().size(), 1);
  EXPECT_EQ(second.next_page_token(), "");
  client_->List(-1);
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->ListModels(1, first.next_page_token());
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(JobServiceTest, DeletesFinalJobsOnly) {
  const std::string job = Create();
  client_->Delete(job);
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  client_->Cancel(job);
  client_->Delete(job);
  ExpectClientCode(grpc::StatusCode::OK);
  client_->Get(job);
  ExpectClientCode(grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, SaysNotFoundForWhatIsNotThere) {
  for (const char* name : {"jobs/99", "jobs/1"}) {
    client_->Get(name);
    ExpectClientCode(grpc::StatusCode::NOT_FOUND);
    client_->Cancel(name);
    ExpectClientCode(grpc::StatusCode::NOT_FOUND);
    client_->GetResult(name);
    ExpectClientCode(grpc::StatusCode::NOT_FOUND);
    client_->ReadArrays(name);
    ExpectClientCode(grpc::StatusCode::NOT_FOUND);
    client_->Watch(name);
    ExpectClientCode(grpc::StatusCode::NOT_FOUND);
  }
  client_->Watch("jobs/x");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  const std::string job = Create();
  client_->ReadArrays(job, {"layer0/nothing"});
  ExpectClientCode(grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, HandsOutFinishedLayersWhileTheJobRuns) {
  const std::string job = Create();
  const v1::Task task = Claim();
  worker_->Publish(task, 0, 0);
  EXPECT_EQ(StateOf(job), v1::Job::STATE_RUNNING);
  EXPECT_EQ(client_->Get(job).progress().layers_done_count(), 1);
  EXPECT_EQ(client_->GetResult(job).arrays().size(), 6);
  EXPECT_EQ(client_->ReadArrays(job, {"layer0/routing/numbers"}).size(), 1);
}

// Whether a client that asks for the results of a job again and again, until
// they are gone, each time had all of them, and in the end was told the truth.
bool HasAllOrNone(TestClient& client, const std::string& job,
                  std::latch& has_begun) {
  const int count = client.GetResult(job).arrays_size();
  has_begun.count_down();
  while (client.status().ok()) {
    if (client.GetResult(job).arrays_size() != count) break;
    client.ReadArrays(job, {"nll"});
  }
  return client.status().error_code() == grpc::StatusCode::NOT_FOUND &&
         !absl::StrContains(client.status().error_message(), "array");
}

TEST_F(JobServiceTest, HandsOutAllArraysOfAJobThatIsDeletedOrNone) {
  Create();
  RunOne();
  TestClient reader(server_->addresses()[0]);
  for (int round = 0; round < 200; ++round) {
    const std::string job = Create();  // answered from the cache
    std::latch has_begun(1);
    auto read = std::async(std::launch::async, [&] {
      return HasAllOrNone(reader, job, has_begun);
    });
    has_begun.wait();
    client_->Delete(job);
    ASSERT_TRUE(read.get()) << reader.status().error_message();
  }
}

TEST_F(JobServiceTest, StreamsLargeArraysInChunks) {
  const std::string job = Create();
  const v1::Task task = Claim();
  Array array{.type = DataType::kInt64, .shape = {400'000}, .bytes = {}};
  array.bytes.assign(size_t{8} * 400'000, '\7');
  const std::string npy = EncodeNpy(array);
  v1::ArrayInfo info;
  info.set_name("layer0/expert_count");
  info.set_probe("routing");
  info.set_data_type(v1::DATA_TYPE_INT64);
  info.add_shape(400'000);
  info.set_sha256(Sha256Hex(npy));
  info.set_size_bytes(static_cast<int64_t>(npy.size()));
  worker_->PublishArray(task, 0, info, npy);
  ExpectWorkerCode(grpc::StatusCode::OK);
  EXPECT_EQ(client_->ReadArrays(job).at("layer0/expert_count"), npy);
  EXPECT_LE(client_->largest_chunk_bytes(), 1U << 20);
}

}  // namespace
}  // namespace moeprobe
