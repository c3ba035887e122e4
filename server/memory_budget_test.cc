// Jobs that share a memory budget, over real connections.

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/server_fixture.h"
#include "server/testing/test_worker.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr absl::Duration kNotNow = absl::Milliseconds(300);

class MemoryBudgetTest : public ServerFixture {
 protected:
  void SetUp() override {
    ServerFixture::SetUp();
    spec_.mutable_layers()->add_layers(0);
    worker_->Claim(kNotNow);  // says how fast it is
    spec_.mutable_data(0)->set_tokens(16);
    small_bytes_ = Estimate();
    spec_.mutable_data(0)->set_tokens(64);
    large_bytes_ = Estimate();
    ASSERT_GT(large_bytes_, small_bytes_);
  }

  int64_t Estimate() {
    return client_->Validate(spec_).estimate().peak_memory_bytes();
  }

  void Restart(int64_t budget_bytes) {
    memory_budget_bytes_ = budget_bytes;
    server_.reset();
    StartServer();
    worker_->Claim(kNotNow);
  }

  // Another job each time.
  std::string CreateOf(int64_t tokens) {
    spec_.mutable_data(0)->set_tokens(tokens);
    spec_.set_seed(++seed_);
    return Create();
  }
  std::string CreateSmall() { return CreateOf(16); }
  std::string CreateLarge() { return CreateOf(64); }

  int64_t small_bytes_ = 0;
  int64_t large_bytes_ = 0;
  int64_t seed_ = 0;
};

TEST_F(MemoryBudgetTest, RefusesWhatCanNeverRun) {
  Restart(large_bytes_ - 1);
  const auto checked = client_->Validate(spec_);
  EXPECT_THAT(checked.warnings(),
              ElementsAre(HasSubstr("would be refused: the job is expected")));
  client_->Create(spec_);
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("--memory-budget"));
  CreateSmall();
  Claim();
}

TEST_F(MemoryBudgetTest, LetsAJobWaitUntilThereIsRoom) {
  Restart(2 * large_bytes_ - 1);
  const std::string first = CreateLarge();
  const std::string second = CreateLarge();
  const v1::Task task = Claim();
  EXPECT_EQ(task.job(), first);
  EXPECT_EQ(client_->GetServerInfo().memory_held_bytes(), large_bytes_);
  TestWorker other(server_->worker_address(), 2);
  EXPECT_FALSE(other.Claim(kNotNow).has_value());
  const v1::MemoryWait wait = client_->Get(second).memory_wait();
  EXPECT_EQ(wait.needed_bytes(), large_bytes_);
  EXPECT_EQ(wait.held_bytes(), large_bytes_);
  EXPECT_EQ(wait.budget_bytes(), 2 * large_bytes_ - 1);
  EXPECT_THAT(wait.holders(), ElementsAre(first));
  EXPECT_EQ(wait.kept_bytes(), 0);
  EXPECT_FALSE(client_->Get(first).has_memory_wait());
  worker_->Fail(task, grpc::StatusCode::INTERNAL, "");
  EXPECT_EQ(other.Claim()->job(), second);
  EXPECT_FALSE(client_->Get(second).has_memory_wait());
}

TEST_F(MemoryBudgetTest, WakesWhoWaitsForMemory) {
  Restart(large_bytes_);
  CreateLarge();
  const std::string second = CreateLarge();
  const v1::Task task = Claim();
  std::string claimed;
  std::thread waiting([&] {
    const auto next = TestWorker(server_->worker_address(), 2).Claim();
    if (next) claimed = next->job();
  });
  worker_->Run(task);
  waiting.join();
  EXPECT_EQ(claimed, second);
}

TEST_F(MemoryBudgetTest, LetsASmallerJobGoFirstWhereThereIsRoomForBoth) {
  Restart(large_bytes_ + small_bytes_);
  CreateLarge();
  const v1::Task task = Claim();
  const std::string waiting = CreateOf(48);
  ASSERT_GT(client_->Get(waiting).estimated_memory_bytes(), small_bytes_);
  const std::string small = CreateSmall();
  TestWorker other(server_->worker_address(), 2);
  const auto passed = other.Claim();
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->job(), small);
  EXPECT_EQ(client_->GetServerInfo().memory_held_bytes(), memory_budget_bytes_);
  const std::string behind = CreateSmall();
  TestWorker third(server_->worker_address(), 3);
  EXPECT_FALSE(third.Claim(kNotNow).has_value());
  EXPECT_EQ(client_->Get(behind).memory_wait().kept_for(), waiting);
  worker_->Fail(task, grpc::StatusCode::INTERNAL, "");
  EXPECT_EQ(Claim().job(), waiting);
}

TEST_F(MemoryBudgetTest, FailsWhatWaitedForALargerBudget) {
  const std::string large = CreateLarge();
  const std::string small = CreateSmall();
  Restart(large_bytes_ - 1);
  const v1::Job failed = client_->Get(large);
  EXPECT_EQ(failed.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(failed.error().code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(failed.error().message(), HasSubstr("--memory-budget"));
  EXPECT_EQ(StateOf(small), v1::Job::STATE_RUNNING);
}

TEST_F(MemoryBudgetTest, AnswersFromTheCacheWhateverTheBudgetIs) {
  CreateLarge();
  RunOne();
  Restart(1);
  spec_.set_seed(seed_);
  EXPECT_EQ(client_->Create(spec_).state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_THAT(client_->Validate(spec_).warnings(), IsEmpty());
}

}  // namespace
}  // namespace moeprobe
