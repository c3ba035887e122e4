// What workers call, over a real connection.

#include <grpcpp/support/status.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_rests.h"
#include "server/testing/server_fixture.h"
#include "server/testing/test_worker.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

using WorkerServiceTest = ServerFixture;

// As long as it lives, this process cannot write to files, as where a disk
// fails.
class FailingDisk {
 public:
  FailingDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none = {.rlim_cur = 1, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;
  ~FailingDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(WorkerServiceTest, AsksWorkersOnlyForWhatIsMissing) {
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

TEST_F(WorkerServiceTest, WakesAWaitingWorker) {
  auto task = std::async(std::launch::async, [&] {
    return TestWorker(server_->worker_address(), 8).Claim();
  });
  while (client_->GetServerInfo().idle_worker_count() == 0) {
    std::this_thread::yield();
  }
  Create();
  EXPECT_TRUE(task.get().has_value());
}

TEST_F(WorkerServiceTest, AsksTheWorkerOfACancelledJobToStop) {
  const std::string job = Create();
  const v1::Task task = Claim();
  EXPECT_FALSE(worker_->Report(task, "", 0));
  EXPECT_EQ(client_->Cancel(job).state(), v1::Job::STATE_CANCELLING);
  EXPECT_TRUE(worker_->Report(task, "", 0));
  worker_->Fail(task, grpc::StatusCode::CANCELLED, "stopped");
  EXPECT_EQ(StateOf(job), v1::Job::STATE_CANCELLED);
  EXPECT_FALSE(std::filesystem::exists(task.scratch_directory()));
}

TEST_F(WorkerServiceTest, FailsAJobWithTheReasonOfItsWorker) {
  const std::string job = Create();
  worker_->Fail(Claim(), grpc::StatusCode::DATA_LOSS, "weights are damaged");
  const v1::Job failed = client_->Get(job);
  EXPECT_EQ(failed.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(failed.error().code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(failed.error().message(), "weights are damaged");
}

TEST_F(WorkerServiceTest, TriesAgainLaterWhereThereWasNoRoom) {
  const std::string job = Create();
  worker_->Fail(Claim(), grpc::StatusCode::RESOURCE_EXHAUSTED, "no room");
  const v1::Job resting = client_->Get(job);
  EXPECT_EQ(resting.state(), v1::Job::STATE_QUEUED);
  EXPECT_EQ(resting.crash_count(), 0);
  EXPECT_THAT(resting.warnings(),
              ElementsAre("tried again after 2 s: no room"));
  EXPECT_FALSE(worker_->Claim(absl::Milliseconds(400)).has_value());
  // Others do not wait for it.
  spec_.set_seed(1);
  const std::string other = Create();
  const v1::Task next = Claim();
  EXPECT_EQ(next.job(), other);
  worker_->Run(next);
  worker_->Run(Claim());
  EXPECT_EQ(StateOf(job), v1::Job::STATE_SUCCEEDED);
}

TEST_F(WorkerServiceTest, CountsAnEndThatCouldNotBeStoredOnce) {
  const std::string job = Create();
  const v1::Task task = Claim();
  const auto fail = [&] {
    worker_->Fail(task, grpc::StatusCode::RESOURCE_EXHAUSTED, "no room");
  };
  {
    const FailingDisk disk;
    for (int i = 0; i <= JobRests::kMaxCount; ++i) {
      fail();
      ExpectWorkerCode(grpc::StatusCode::UNAVAILABLE);
    }
  }
  fail();
  ExpectWorkerCode(grpc::StatusCode::OK);
  EXPECT_EQ(StateOf(job), v1::Job::STATE_QUEUED);
  EXPECT_THAT(client_->Get(job).warnings(),
              ElementsAre("tried again after 2 s: no room"));
}

TEST_F(WorkerServiceTest, TakesBackWhatAWorkerForgot) {
  const std::string job = Create();
  const v1::Task forgotten = Claim();
  const v1::Task again = Claim();
  EXPECT_EQ(again.job(), job);
  EXPECT_EQ(again.attempt(), 2);
  worker_->Report(forgotten, "", 0);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
  Claim();
  EXPECT_FALSE(worker_->Claim(absl::Milliseconds(400)).has_value());
  EXPECT_EQ(client_->Get(job).error().message(),
            "worker 4711 gave up without saying why (3 times)");
}

TEST_F(WorkerServiceTest, TakesAllOfALayerOrNothing) {
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

TEST_F(WorkerServiceTest, TakesOnlyLayersThatWereAskedFor) {
  spec_.mutable_layers()->add_layers(1);
  Create();
  const v1::Task task = Claim();
  worker_->Publish(task, 0, 0);
  ExpectWorkerCode(grpc::StatusCode::INVALID_ARGUMENT);
  worker_->Publish(task, 0, 1);
  ExpectWorkerCode(grpc::StatusCode::OK);
}

TEST_F(WorkerServiceTest, RefusesAnAttemptThatIsOver) {
  Create();
  v1::Task task = Claim();
  task.set_attempt(2);
  worker_->Report(task, "", 0);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
  worker_->Publish(task, 0, 0);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
  const std::string digest(64, '0');
  worker_->StoreTokens(task, digest, digest, task.scratch_directory() + "/x");
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
  worker_->Finish(task);
  ExpectWorkerCode(grpc::StatusCode::ABORTED);
}

TEST_F(WorkerServiceTest, TokenisesATextOnce) {
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

TEST_F(WorkerServiceTest, TakesTokensFromTheScratchDirectoryOnly) {
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

TEST_F(WorkerServiceTest, ResumesAfterARestartWithWhatWasPublished) {
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

}  // namespace
}  // namespace moeprobe
