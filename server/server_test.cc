// The services over a real connection, with a worker that computes nothing.

#include "server/server.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/testing/test_client.h"
#include "server/testing/test_worker.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kPid = 4711;

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
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

  void StartServer() {
    auto server = Server::Start(
        {.data_directory = directory_.path() / "data",
         .model_roots = {root_},
         .address = absl::StrCat("unix:", (directory_.path() / "s").string()),
         .worker_count = 0,
         .worker_binary = {}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = std::make_unique<TestClient>(server_->address());
    worker_ = std::make_unique<TestWorker>(server_->worker_address(), kPid);
  }

  // Creates a job and returns its name.
  std::string Create() {
    const v1::Job job = client_->Create(spec_);
    EXPECT_TRUE(client_->status().ok()) << client_->status().error_message();
    return job.name();
  }

  v1::Task Claim() {
    const auto task = worker_->Claim();
    EXPECT_TRUE(task.has_value()) << worker_->status().error_message();
    return task.value_or(v1::Task());
  }

  // Runs the oldest job to its end.
  void RunOne() {
    worker_->Run(Claim());
    ASSERT_TRUE(worker_->status().ok()) << worker_->status().error_message();
  }

  v1::Job::State StateOf(const std::string& job) {
    return client_->Get(job).state();
  }

  void ExpectClientCode(grpc::StatusCode code) {
    EXPECT_EQ(client_->status().error_code(), code)
        << client_->status().error_message();
  }
  void ExpectWorkerCode(grpc::StatusCode code) {
    EXPECT_EQ(worker_->status().error_code(), code)
        << worker_->status().error_message();
  }

  TemporaryDirectory directory_;
  std::filesystem::path root_ = directory_.path() / "models";
  std::unique_ptr<Server> server_;
  std::unique_ptr<TestClient> client_;
  std::unique_ptr<TestWorker> worker_;
  v1::AnalyzeSpec spec_;
};

TEST_F(ServerTest, RunsAJobFromEndToEnd) {
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

TEST_F(ServerTest, SummarisesWhatHasAMean) {
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

TEST_F(ServerTest, TellsTheWholeStoryOfAJob) {
  const std::string job = Create();
  const v1::Task task = Claim();
  worker_->Report(task, "layer 0 of 2", 0.5);
  worker_->Run(task);
  std::vector<std::string> story;
  int64_t sequence = 0;
  for (const v1::JobEvent& event : client_->Watch(job)) {
    EXPECT_EQ(event.sequence(), ++sequence);
    if (event.event_case() == v1::JobEvent::kState) {
      story.push_back(v1::Job::State_Name(event.state()));
    } else if (event.event_case() == v1::JobEvent::kLayer) {
      story.push_back(event.layer());
    } else {
      story.push_back(event.progress().phase());
    }
  }
  EXPECT_TRUE(client_->status().ok());
  EXPECT_THAT(story,
              ElementsAre("STATE_QUEUED", "STATE_RUNNING", "layer 0 of 2",
                          "layer0/", "layer1/", "STATE_SUCCEEDED"));
  EXPECT_EQ(client_->Watch(job, 4).size(), 2);
  EXPECT_EQ(client_->Watch(job, 99).size(), 0);
  EXPECT_TRUE(client_->status().ok());
}

TEST_F(ServerTest, FollowsAJobWhileItRuns) {
  const std::string job = Create();
  auto watched = std::async(std::launch::async, [&] {
    return TestClient(server_->address()).Watch(job).size();
  });
  RunOne();
  EXPECT_EQ(watched.get(), 5);
}

TEST_F(ServerTest, ServesManyWatchersAndEverybodyElse) {
  const std::string job = Create();
  constexpr int kWatchers = 200;
  std::vector<std::future<size_t>> watched;
  for (int i = 0; i < kWatchers; ++i) {
    watched.push_back(std::async(std::launch::async, [&] {
      return TestClient(server_->address()).Watch(job).size();
    }));
  }
  EXPECT_EQ(StateOf(job), v1::Job::STATE_QUEUED);
  RunOne();
  for (auto& events : watched) EXPECT_EQ(events.get(), 5);
}

TEST_F(ServerTest, LetsAWatcherGoWhenItWantsTo) {
  const std::string job = Create();
  client_->Watch(job, 0, [](const v1::JobEvent&) { return true; });
  ExpectClientCode(grpc::StatusCode::CANCELLED);
  RunOne();
  EXPECT_EQ(client_->Watch(job).size(), 5);
}

TEST_F(ServerTest, EndsWatchesWhenItStops) {
  const std::string job = Create();
  std::promise<void> started;
  auto code = std::async(std::launch::async, [&] {
    TestClient client(server_->address());
    client.Watch(job, 0, [&](const v1::JobEvent&) {
      started.set_value();
      return false;
    });
    return client.status().error_code();
  });
  started.get_future().wait();
  server_->Stop();
  EXPECT_EQ(code.get(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, AnswersTheSecondIdenticalRequestFromTheCache) {
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

TEST_F(ServerTest, AsksWorkersOnlyForWhatIsMissing) {
  spec_.mutable_layers()->add_layers(0);
  spec_.mutable_probes()->mutable_routing();
  Create();
  RunOne();
  spec_.mutable_layers()->add_layers(1);
  Create();
  const v1::Task task = Claim();
  ASSERT_EQ(task.parts().size(), 1);
  EXPECT_THAT(task.parts(0).layers(), ElementsAre(1));
  worker_->Run(task);
  spec_.mutable_probes()->mutable_pca();
  const std::string job = Create();
  const v1::Task more = Claim();
  EXPECT_THAT(more.parts(0).layers(), ElementsAre(0, 1));
  EXPECT_FALSE(more.parts(0).probes().has_routing());
  EXPECT_FALSE(more.parts(0).nll());
  worker_->Run(more);
  EXPECT_EQ(client_->ReadArrays(job).size(), 7);
}

TEST_F(ServerTest, ComputesIdenticalRequestsInFlightOnce) {
  Create();
  const std::string second = Create();
  const v1::Task task = Claim();
  EXPECT_FALSE(worker_->Claim(absl::Milliseconds(400)).has_value());
  EXPECT_EQ(StateOf(second), v1::Job::STATE_QUEUED);
  worker_->Run(task);
  EXPECT_EQ(StateOf(second), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(client_->Get(second).cached());
}

TEST_F(ServerTest, WakesAWaitingWorker) {
  auto task = std::async(std::launch::async, [&] {
    return TestWorker(server_->worker_address(), 8).Claim();
  });
  while (client_->GetServerInfo().idle_worker_count() == 0) {
    std::this_thread::yield();
  }
  Create();
  EXPECT_TRUE(task.get().has_value());
}

TEST_F(ServerTest, CancelsAQueuedJobAtOnce) {
  const std::string job = Create();
  EXPECT_EQ(client_->Cancel(job).state(), v1::Job::STATE_CANCELLED);
  EXPECT_FALSE(worker_->Claim(absl::Milliseconds(400)).has_value());
  EXPECT_EQ(client_->Cancel(job).state(), v1::Job::STATE_CANCELLED);
}

TEST_F(ServerTest, AsksTheWorkerOfACancelledJobToStop) {
  const std::string job = Create();
  const v1::Task task = Claim();
  EXPECT_FALSE(worker_->Report(task, "", 0));
  EXPECT_EQ(client_->Cancel(job).state(), v1::Job::STATE_CANCELLING);
  EXPECT_TRUE(worker_->Report(task, "", 0));
  worker_->Fail(task, grpc::StatusCode::CANCELLED, "stopped");
  EXPECT_EQ(StateOf(job), v1::Job::STATE_CANCELLED);
  EXPECT_FALSE(std::filesystem::exists(task.scratch_directory()));
}

TEST_F(ServerTest, FailsAJobWithTheReasonOfItsWorker) {
  const std::string job = Create();
  worker_->Fail(Claim(), grpc::StatusCode::DATA_LOSS, "weights are damaged");
  const v1::Job failed = client_->Get(job);
  EXPECT_EQ(failed.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(failed.error().code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(failed.error().message(), "weights are damaged");
}

TEST_F(ServerTest, RefusesAJobThatIsWrongWithAllReasons) {
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

TEST_F(ServerTest, TellsUnknownFromUnusable) {
  spec_.set_model("nothing");
  client_->Create(spec_);
  ExpectClientCode(grpc::StatusCode::NOT_FOUND);
  spec_.set_model("broken");
  client_->Create(spec_);
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("config.json"));
}

TEST_F(ServerTest, ChecksWithoutChangingAnything) {
  const auto checked = client_->Validate(spec_);
  EXPECT_EQ(checked.job().analyze().data(0).tokens(), 16384);
  EXPECT_EQ(checked.violations().size(), 0);
  EXPECT_EQ(client_->List(0).jobs().size(), 0);
}

TEST_F(ServerTest, CreatesOneJobForOneRequestId) {
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

TEST_F(ServerTest, CreatesOneJobForParallelRequestsWithOneId) {
  std::vector<std::future<std::string>> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back(std::async(std::launch::async, [&] {
      return TestClient(server_->address())
          .Create(spec_, "123e4567-e89b-12d3-a456-426614174000")
          .name();
    }));
  }
  for (auto& name : names) EXPECT_EQ(name.get(), "jobs/1");
}

TEST_F(ServerTest, ListsJobsInPages) {
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

TEST_F(ServerTest, DeletesFinalJobsOnly) {
  const std::string job = Create();
  client_->Delete(job);
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  client_->Cancel(job);
  client_->Delete(job);
  ExpectClientCode(grpc::StatusCode::OK);
  client_->Get(job);
  ExpectClientCode(grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, SaysNotFoundForWhatIsNotThere) {
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

TEST_F(ServerTest, HandsOutFinishedLayersWhileTheJobRuns) {
  const std::string job = Create();
  const v1::Task task = Claim();
  worker_->Publish(task, 0, 0);
  EXPECT_EQ(StateOf(job), v1::Job::STATE_RUNNING);
  EXPECT_EQ(client_->Get(job).progress().layers_done_count(), 1);
  EXPECT_EQ(client_->GetResult(job).arrays().size(), 6);
  EXPECT_EQ(client_->ReadArrays(job, {"layer0/routing/numbers"}).size(), 1);
}

TEST_F(ServerTest, StreamsLargeArraysInChunks) {
  const std::string job = Create();
  const v1::Task task = Claim();
  Array array{.type = DataType::kInt64, .shape = {400'000}, .bytes = {}};
  array.bytes.assign(8 * 400'000, '\7');
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

TEST_F(ServerTest, TakesAllOfALayerOrNothing) {
  const std::string job = Create();
  const v1::Task task = Claim();
  const std::string npy = NpyOfTestWorker("x");
  v1::ArrayInfo good;
  good.set_name("layer0/x");
  good.set_probe("routing");
  good.set_data_type(v1::DATA_TYPE_FLOAT64);
  good.add_shape(2);
  good.set_sha256(Sha256Hex(npy));
  good.set_size_bytes(static_cast<int64_t>(npy.size()));
  const auto publish = [&](auto change) {
    v1::ArrayInfo info = good;
    change(info);
    worker_->PublishArray(task, 0, info, npy);
    return worker_->status().error_code();
  };
  using grpc::StatusCode;
  EXPECT_EQ(publish([](auto& i) { i.set_sha256(std::string(64, '0')); }),
            StatusCode::DATA_LOSS);
  EXPECT_EQ(publish([](auto& i) { i.set_size_bytes(7); }),
            StatusCode::DATA_LOSS);
  EXPECT_EQ(publish([](auto& i) { i.set_shape(0, 3); }), StatusCode::DATA_LOSS);
  EXPECT_EQ(publish([](auto& i) { i.set_name("layer1/x"); }),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(publish([](auto& i) { i.clear_probe(); }),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(client_->GetResult(job).arrays().size(), 0);
  EXPECT_EQ(publish([](auto&) {}), StatusCode::OK);
  EXPECT_EQ(client_->GetResult(job).arrays().size(), 1);
}

TEST_F(ServerTest, RefusesAnAttemptThatIsOver) {
  Create();
  v1::Task task = Claim();
  task.set_attempt(2);
  worker_->Report(task, "", 0);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
  worker_->Publish(task, 0, 0);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
  worker_->Finish(task);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
}

TEST_F(ServerTest, TokenisesATextOnce) {
  const v1::Dataset text =
      client_->Upload(v1::Dataset::KIND_TEXT, "text.txt", "some text");
  spec_.mutable_data(0)->set_text("text.txt");
  Create();
  const v1::Task task = Claim();
  EXPECT_TRUE(task.parts(0).tokenize());
  EXPECT_EQ(task.parts(0).text_sha256(), text.sha256());
  const std::string ids = EncodeTokenIds(std::vector<int32_t>(32, 5));
  const std::string path = task.scratch_directory() + "/ids.npy";
  WriteBytes(path, ids);
  worker_->StoreTokens(task, text.sha256(), Sha256Hex("{}"), path);
  ExpectWorkerCode(grpc::StatusCode::OK);
  worker_->Fail(task, grpc::StatusCode::INTERNAL, "enough");
  Create();
  const v1::Task next = Claim();
  EXPECT_FALSE(next.parts(0).tokenize());
  EXPECT_EQ(Sha256OfFile(next.parts(0).data_path()).value_or(""),
            Sha256Hex(ids));
}

TEST_F(ServerTest, TakesTokensFromTheScratchDirectoryOnly) {
  Create();
  const v1::Task task = Claim();
  const std::string outside = (directory_.path() / "ids.npy").string();
  WriteBytes(outside, EncodeTokenIds({1}));
  const std::string digest(64, '0');
  for (const std::string& path :
       {outside, task.scratch_directory() + "/../../../ids.npy",
        task.scratch_directory() + "/nothing", std::string("/etc/passwd")}) {
    worker_->StoreTokens(task, digest, digest, path);
    ExpectWorkerCode(grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_TRUE(std::filesystem::exists(outside));
}

TEST_F(ServerTest, ResumesAfterARestartWithWhatWasPublished) {
  const std::string job = Create();
  const v1::Task task = Claim();
  worker_->Publish(task, 0, 0);
  server_.reset();
  StartServer();
  const v1::Job requeued = client_->Get(job);
  EXPECT_EQ(requeued.state(), v1::Job::STATE_QUEUED);
  EXPECT_EQ(requeued.crash_count(), 0);
  const v1::Task again = Claim();
  EXPECT_EQ(again.attempt(), 2);
  EXPECT_THAT(again.parts(0).layers(), ElementsAre(1));
  EXPECT_EQ(again.scratch_directory(), task.scratch_directory());
  worker_->Run(again);
  EXPECT_EQ(StateOf(job), v1::Job::STATE_SUCCEEDED);
  EXPECT_FALSE(client_->Get(job).cached());
}

TEST_F(ServerTest, KeepsEachUploadOnce) {
  const auto first = client_->Upload(v1::Dataset::KIND_TEXT, "a.txt", "abc");
  const auto again = client_->Upload(v1::Dataset::KIND_TEXT, "b.txt", "abc");
  EXPECT_EQ(first.name(), again.name());
  EXPECT_EQ(first.name(), absl::StrCat("datasets/", Sha256Hex("abc")));
  EXPECT_EQ(client_->ListDatasets(1).datasets(0).display_name(), "b.txt");
  EXPECT_NE(client_->ListDatasets(1).next_page_token(), "");
}

TEST_F(ServerTest, RefusesUploadsThatAreNotWhatTheySay) {
  using v1::Dataset;
  client_->Upload(Dataset::KIND_TEXT, "a", "\xff");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("byte 0"));
  client_->Upload(Dataset::KIND_IDS, "a", "text");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_IDS, "a", EncodeTokenIds({}));
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_TEXT, "a", "");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_UNSPECIFIED, "a", "abc");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_TEXT, "a\n", "abc");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);

  Dataset announced;
  announced.set_kind(Dataset::KIND_TEXT);
  announced.set_display_name("a");
  announced.set_sha256(Sha256Hex("abc"));
  announced.set_size_bytes(3);
  client_->UploadAs(announced, "abd");
  ExpectClientCode(grpc::StatusCode::DATA_LOSS);
  client_->UploadAs(announced, "ab");
  ExpectClientCode(grpc::StatusCode::DATA_LOSS);
  client_->UploadAs(announced, "abcd");
  ExpectClientCode(grpc::StatusCode::DATA_LOSS);
  announced.set_size_bytes(int64_t{1} << 40);
  client_->UploadAs(announced, "abc");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(client_->ListDatasets(0).datasets().size(), 1);
}

TEST_F(ServerTest, ListsModelsWithWhatIsWrongWithThem) {
  const auto models = client_->ListModels(0);
  ASSERT_EQ(models.models().size(), 3);
  EXPECT_EQ(models.models(0).name(), "broken");
  EXPECT_NE(models.models(0).problem(), "");
  EXPECT_EQ(models.models(2).name(), "mixtral");
  EXPECT_EQ(models.models(2).expert_count(), 4);
  EXPECT_EQ(models.models(2).problem(), "");
  const auto page = client_->ListModels(2);
  EXPECT_EQ(client_->ListModels(2, page.next_page_token()).models().size(), 1);
}

TEST_F(ServerTest, TellsWhatItIs) {
  const v1::ServerInfo info = client_->GetServerInfo();
  EXPECT_NE(info.version(), "");
  EXPECT_GE(info.numerics_version(), 1);
  EXPECT_GE(info.families_size(), 8);
  EXPECT_EQ(info.max_crash_count(), 3);
}

}  // namespace
}  // namespace moeprobe
